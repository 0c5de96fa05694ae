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

#define STORE_SCHEMA_VERSION 2

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
    " PRIMARY KEY(session, position)"
    ") WITHOUT ROWID;"
    "CREATE INDEX signature_by_result ON signature(result);"

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
