---@meta
--- What the methods take and return, for editors. Nothing requires this file.

---@alias signicat.Id string|table|userdata an id, or what carries one

---@alias signicat.ShouldRetry
---| fun(err: signicat.Error, attempt: integer): boolean|number|nil

---@alias signicat.NextPage
---| fun(self, opts: signicat.CallOptions?): signicat.Page?, table?, table?

---@class signicat.CallOptions
---@field timeout number? seconds in all, 0 for no limit
---@field connect_timeout number? seconds
---@field first_byte_timeout number? seconds from the last byte of the request
--- to the first of the answer, 0 for no limit (0)
---@field stall_timeout number? seconds without a byte (documents: 30)
---@field deadline number? a moment on client:now()
---@field retries integer? how often what is safe to repeat is tried again
---@field max_retry_after number? the longest Retry-After waited for, seconds
---@field should_retry signicat.ShouldRetry?
---@field max_body integer? of an answer kept in memory, bytes
---@field headers table<string, string>?
---@field trace string? a W3C traceparent; sent, and in errors and events
---@field validate "full"|"reference"|"off"|nil
---@field on_progress signicat.Progress? of a document's bytes, either way
---@field allow_unknown boolean? take fields and values that are not known

---@class signicat.ClientOptions: signicat.CallOptions
---@field base_url string? "https://api.signicat.com/sign" unless given
---@field token_url string? of the same host unless given
---@field insecure_http boolean? take http:// for other hosts than this one
---@field client_id string?
---@field client_secret string?
---@field auth_method "client_secret_post"|"client_secret_basic"|nil
---@field token string? an access token of the caller's own
---@field auth function|table|nil gives a token and its lifetime in seconds
---@field token_store signicat.TokenStore? shares tokens
---@field on_event fun(event: signicat.Event)?
---@field tls signicat.TlsOptions?
---@field proxy string? "http://user:password@host:port", or https, socks5(h)
---@field no_proxy string? hosts that are reached without it, comma-separated
---@field http_version "1.1"|"2"|nil what libcurl finds best unless given
---@field transport table|"curl"|"nginx"|nil sends: function send; libcurl
--- unless given, inside nginx its own sockets
---@field block_nginx boolean? with "curl": though no request is served then
---@field clock (fun(): number)? seconds, never set back
---@field wall_clock (fun(): number)? seconds since 1970
---@field sleep fun(seconds: number)?
---@field random (fun(): number)? from 0 to below 1

---@alias signicat.Reader fun(max: integer): string?, any
--- the next bytes; nil at the end; nil and why it failed

---@alias signicat.Writer fun(bytes: string): boolean?, any
--- true when it took them; nil and why it failed

---@alias signicat.Progress fun(done: integer, total: integer?): boolean?
--- false cancels

---@class signicat.UploadSource one of path, content, reader
---@field path string? of a file
---@field offset integer? of the first byte to send
---@field length integer? how many bytes to send
---@field content string? the bytes themselves
---@field reader signicat.Reader? gives them one after the other
---@field size integer? of all that the reader gives: one byte more or less,
--- and nothing is uploaded
---@field rewind function? lets the reader begin again; without it a body that
--- was begun is never sent again
---@field type string? the media type; of a path .pdf, .txt and .md tell it

---@class signicat.TlsOptions
---@field ca_file string? whom to trust, a PEM file; libcurl's own if not given
---@field ca_pem string? or the PEM text
---@field cert string? the client's own certificate: a path, or PEM text
---@field key string? its private key, likewise; if not given, in `cert`
---@field insecure boolean? trust anybody, with a base_url of this machine
---@field insecure_anywhere boolean? ... or of any other

---@class signicat.DownloadOptions: signicat.CallOptions
---@field to string|signicat.Writer|nil a path, where a file appears only when
--- it is whole; a folder, for the document's own name; or a writer
---@field overwrite boolean? replace a file that is there

---@class signicat.RequestOptions: signicat.DownloadOptions
---@field query table<string, any>?
---@field json any a body, written as JSON
---@field content string? a body, sent as it is
---@field type string? the media type of `content`

---@class signicat.SandboxOptions
---@field data string? a folder to keep; a temporary one unless given
---@field token_ttl number? how long tokens live, seconds
---@field executable string? its path
---@field beyond_the_service boolean? do what the service is not known to do
---@field tls "good"|"wrong-name"|"expired"|"untrusted"|nil https, and how

---@class signicat.WaitOptions: signicat.CallOptions
---@field first_delay number? seconds (1)
---@field max_delay number? seconds (15)

---@class signicat.VerifyOptions
---@field scheme string|signicat.Scheme how the event is signed; no default
---@field secrets string|string[] several while one replaces another
---@field tolerance number|"off"|nil seconds the timestamp may differ (300)
---@field now number? seconds since 1970: when the event arrived
---@field seen (fun(id: string, ttl: number): boolean?, string?)? whether an id
--- came before, and remembers it; nil and a reason when it cannot tell

---@class signicat.Query
---@field offset integer?
---@field limit integer? 1 to 1000
---@field sort string|string[]|nil "+createdAt", "-createdAt", "+dueDate", ...
---@field state string|string[]|nil
---@field createdDateFrom string?
---@field createdDateTo string?
---@field dueDateFrom string?
---@field dueDateTo string?
---@field sessionTitleLike string?

---@class signicat.DocumentFields
---@field filename string? to store the file under, 255 characters
---@field title string? to show, 255 characters
---@field description string? to show, 1000 characters

---@class signicat.NewCollection
---@field documents { documentId: string, description: string? }[] 1 to 100
---@field packageTo string[]? "PADES_CONTAINER": made when all have signed

---@class signicat.SessionDocument
---@field documentId string
---@field documentCollectionId string
---@field action "SIGN"|"VIEW"

---@class signicat.SigningSetup
---@field signingFlow "AUTHENTICATION_BASED"|"PKISIGNING"
---@field identityProviders { idpName: string }[]? every one of the account's
--- unless given
---@field vendor string? for PKISIGNING: "NBID", "SBID", "BUYPASS", ...
---@field additionalParameters table<string, string>?

---@class signicat.SessionFields
---@field title string 255 characters
---@field signingSetup signicat.SigningSetup[] exactly one
---@field signatureUrlTTL integer? minutes, 5 to 525600
---@field signText string? that the signer has to agree to, 2048 characters
---@field dueDate string? a date-time, at most 45 days ahead
---@field externalReference string|lightuserdata|nil yours, 1024 characters
---@field subsequentTo string[]? ids of sessions to be signed before
---@field packageTo string[]? made when this session is signed
---@field signer table?
---@field archive table?
---@field preAuthentication table?
---@field ui { language: string }?
---@field redirectSettings { success: string, cancel: string, error: string }?

---@class signicat.NewSession: signicat.SessionFields
---@field documents signicat.SessionDocument[] 1 to 50

---@class signicat.SignFields: signicat.SessionFields
---@field file string|signicat.UploadSource
---@field signingSetup signicat.SigningSetup[]? any provider unless given

---@class signicat.RedisClient
---@field call fun(self, command: string, ...: string|number): any, string?
--- a string, a number or a list; false for Redis's nil; nil and a reason

---@class signicat.RedisOptions
---@field nodes string[] "host:port", tried in turn; of a cluster some of them
---@field username string? "default" unless given
---@field password string?
---@field timeout number? seconds to connect, to send and to read, each (5)
---@field wrap (fun(socket: table, host: string): table?, string?)? makes TLS of
--- a connected socket

---@class signicat.WorkerOptions
---@field client signicat.Client
---@field redis signicat.RedisClient
---@field name string? of the queue ("sign")
---@field consumer string? that no other worker has; by chance if not given
---@field folder string? where the files are that jobs name
---@field timeout number? seconds that each step may take (120); the same for
--- all workers of a queue
---@field slack number? seconds beyond before another worker takes a job (15)
---@field attempts integer? at a job before it is given up (5)
---@field backoff number? seconds before the second attempt, at most (1)
---@field block number? seconds to wait for a job (1); less than the timeout of
--- `redis`
---@field keep number? seconds that a job is remembered when it is done (7 days)
---@field stop_on_signals boolean? SIGTERM and SIGINT end `run` after the job in
--- hand; they are blocked in this thread meanwhile (false)

---@class signicat.JobStatus
---@field id string
---@field state "queued"|"running"|"waiting"|"done"|"dead"
---@field attempts integer
---@field documentId string?
---@field documentCollectionId string?
---@field sessionId string?
---@field strays { step: string, id: string? }[] what may have been made in vain
---@field error table? why the last attempt failed: kind, message, step, ...

---@class signicat.Meta
---@field status integer
---@field headers table<string, string>
---@field attempts integer
---@field reused boolean whether the connection was
---@field timing table<string, number> name_lookup, connect, tls, first_byte,
--- total: seconds since the request began
---@field request_id string? the service's X-Request-Id
---@field repeated boolean? a DELETE whose first attempt had succeeded
---@field sha256 string? of the bytes, as the API writes it
---@field verified boolean? whether that was compared with the API's

---@class signicat.Error
---@field kind string one of a fixed list, docs/errors.md
---@field message string one line, safe to log
---@field operation string
---@field status integer?
---@field code string?
---@field title string?
---@field detail string? may repeat what was sent: not for logs
---@field fields { name: string, reason: string }[]?
---@field trace_id string? the service's
---@field trace string? the traceparent of the call
---@field retryable boolean
---@field retry_after number?
---@field sent boolean
---@field ambiguous boolean whether it may have been carried out
---@field phase string?
---@field attempts integer
---@field result any what there is nevertheless

---@class signicat.Resource: userdata a snapshot of one answer
---@field totable fun(self): table
---@field json fun(self): string

---@class signicat.Document: signicat.Resource
---@field documentId string
---@field mimeType string?
---@field createdAt string?
---@field documentHash { hash: string, hashAlgorithm: string }?
---@field filename string?
---@field title string?
---@field description string?

---@class signicat.Collection: signicat.Resource
---@field id string
---@field documents { documentId: string, description: string? }[]
---@field packageTo string[]?
---@field output { packages: table[] }?

---@class signicat.Session: signicat.Resource
---@field id string
---@field title string
---@field documents table[]
---@field signingSetup table[]
---@field signatureUrl string? whoever has it can sign: a secret
---@field signatureUrlExpiresAt string?
---@field lifecycle { state: string, stateIsFinal: boolean }?
---@field output { signatures: table[]?, packages: table[]? }?
---@field externalReference string?
---@field dueDate string?
---@field subsequentTo string[]?

---@class signicat.Page: signicat.Resource
---@field data signicat.Session[]
---@field total integer all that fit
---@field count integer rows of this page
---@field offset integer
---@field limit integer
---@field next signicat.NextPage nil at the end; nil and an error may be retried
