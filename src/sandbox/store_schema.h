/*
 * store_schema.h: the tables, as SQL. store.c runs it once in a new file.
 *
 * Foreign keys do the "still in use" work: a document in a collection or a
 * result, and a collection in a session, cannot be deleted. A session's own
 * rows go with it. `session_after.before` is deliberately no foreign key: a
 * session may be deleted while another waits for it, which then waits on.
 */
#ifndef SANDBOX_STORE_SCHEMA_H
#define SANDBOX_STORE_SCHEMA_H

#define STORE_SCHEMA_VERSION 4

static const char store_schema[] =
    "CREATE TABLE token("
    " hash TEXT PRIMARY KEY,"
    " expires INTEGER NOT NULL"
    ") WITHOUT ROWID;"

    "CREATE TABLE document("
    " id TEXT PRIMARY KEY,"
    " mime TEXT NOT NULL,"
    " sha256 TEXT NOT NULL," /* Base64, as answered */
    " size INTEGER NOT NULL,"
    " created INTEGER NOT NULL,"
    " filename TEXT, description TEXT, title TEXT"
    ") WITHOUT ROWID;"

    "CREATE TABLE collection("
    " id TEXT PRIMARY KEY,"
    " package_to TEXT" /* the JSON list as sent; null: none was sent */
    ") WITHOUT ROWID;"

    "CREATE TABLE collection_document("
    " collection TEXT NOT NULL REFERENCES collection ON DELETE CASCADE,"
    " position INTEGER NOT NULL,"
    " document TEXT NOT NULL REFERENCES document,"
    " description TEXT,"
    " PRIMARY KEY(collection, position)"
    ") WITHOUT ROWID;"
    "CREATE INDEX collection_by_document ON collection_document(document);"

    "CREATE TABLE session("
    " seq INTEGER PRIMARY KEY," /* the order of creation */
    " id TEXT NOT NULL UNIQUE,"
    " state TEXT NOT NULL DEFAULT 'BLOCKED'"
    "  CHECK(state IN ('BLOCKED', 'READY', 'SIGNED', 'REJECTED')),"
    " title_folded TEXT NOT NULL,"
    " created INTEGER NOT NULL,"
    " due INTEGER,"
    " url_expires INTEGER NOT NULL,"
    " request TEXT NOT NULL," /* the JSON object as sent, ids in lower case */
    " reject_reason TEXT"
    ");"
    "CREATE INDEX session_by_created ON session(created);"

    "CREATE TABLE session_document("
    " session TEXT NOT NULL REFERENCES session(id) ON DELETE CASCADE,"
    " position INTEGER NOT NULL,"
    " document TEXT NOT NULL,"
    " collection TEXT NOT NULL REFERENCES collection,"
    " action TEXT NOT NULL,"
    " PRIMARY KEY(session, position)"
    ") WITHOUT ROWID;"
    "CREATE INDEX session_by_collection ON session_document(collection);"

    /* `met` stays when the session before is deleted after its signing. */
    "CREATE TABLE session_after("
    " session TEXT NOT NULL REFERENCES session(id) ON DELETE CASCADE,"
    " before TEXT NOT NULL,"
    " met INTEGER NOT NULL,"
    " PRIMARY KEY(session, before)"
    ") WITHOUT ROWID;"
    "CREATE INDEX session_by_before ON session_after(before);"

    "CREATE TABLE signature("
    " session TEXT NOT NULL REFERENCES session(id) ON DELETE CASCADE,"
    " position INTEGER NOT NULL,"
    " collection TEXT NOT NULL,"
    " original TEXT NOT NULL,"
    " result TEXT NOT NULL REFERENCES document,"
    " type TEXT NOT NULL,"
    " signer TEXT NOT NULL,"   /* the name */
    " provider TEXT NOT NULL," /* an idpName, or the vendor */
    " at INTEGER NOT NULL,"
    " PRIMARY KEY(session, position)"
    ") WITHOUT ROWID;"
    "CREATE INDEX signature_by_result ON signature(result);"
    "CREATE INDEX signature_by_collection ON signature(collection);"

    /* The order to make one, until it has a result, or why there is none. A
     * collection with a row here is closed. */
    "CREATE TABLE package("
    /* Never used again: one may go while it is made. */
    " seq INTEGER PRIMARY KEY AUTOINCREMENT,"
    " id TEXT UNIQUE," /* packageId; comes with its end */
    " session TEXT UNIQUE REFERENCES session(id) ON DELETE CASCADE,"
    " collection TEXT UNIQUE REFERENCES collection ON DELETE CASCADE,"
    " result TEXT REFERENCES document,"
    " refused TEXT,"
    " attempts INTEGER NOT NULL DEFAULT 0,"
    " next_try INTEGER NOT NULL DEFAULT 0,"
    " CHECK((session IS NULL) <> (collection IS NULL))"
    ");"
    "CREATE INDEX package_by_result ON package(result);"

    /* The sessions that their signers have looked at. */
    "CREATE TABLE session_opened("
    " session TEXT PRIMARY KEY REFERENCES session(id) ON DELETE CASCADE"
    ") WITHOUT ROWID;"

    /* The secret makes signatures, so it cannot be a digest. */
    "CREATE TABLE webhook("
    " id TEXT PRIMARY KEY,"
    " url TEXT NOT NULL,"
    " secret TEXT NOT NULL,"
    " names TEXT NOT NULL" /* of the events wanted: ,a,b, */
    ") WITHOUT ROWID;"

    /* One event for one webhook. Events outlive what they tell of. */
    "CREATE TABLE outbox("
    " seq INTEGER PRIMARY KEY,"
    " event TEXT NOT NULL," /* its id */
    " webhook TEXT NOT NULL REFERENCES webhook ON DELETE CASCADE,"
    " name TEXT NOT NULL,"
    " body TEXT NOT NULL," /* as it is sent */
    " expires INTEGER NOT NULL,"
    " state TEXT NOT NULL DEFAULT 'PENDING'"
    "  CHECK(state IN ('PENDING', 'DELIVERED', 'EXPIRED')),"
    " attempts INTEGER NOT NULL DEFAULT 0,"
    " next_try INTEGER," /* null: nothing more is to be done; see outbox.c */
    " outcome TEXT"      /* of the last try */
    ");"
    "CREATE INDEX outbox_by_event ON outbox(event);"
    "CREATE INDEX outbox_by_webhook ON outbox(webhook);"
    "CREATE INDEX outbox_by_try ON outbox(next_try)"
    " WHERE next_try IS NOT NULL;"

    /* Who has identified before the documents are shown: a browser, by the
     * digest of its cookie. */
    "CREATE TABLE visit("
    " session TEXT NOT NULL REFERENCES session(id) ON DELETE CASCADE,"
    " hash TEXT NOT NULL,"
    " name TEXT NOT NULL,"
    " expires INTEGER NOT NULL,"
    " PRIMARY KEY(session, hash)"
    ") WITHOUT ROWID;";

#endif
