-- goals.lua: how much of what libcurl takes alone the client may take.

return {
  -- Lua hashes strings otherwise in every second, and tables of names are fast
  -- or slow by chance: instructions vary by so much, and now and then by more.
  chance = 1.03,
  -- of the floor's instructions for a GET of a session
  raw = 1.25,
  session = 1.45, -- and three of its fields read
  tasks = 1.2, -- of libcurl's multi handle, raw, 64 at a time
  -- for each GET
  heap_calls = 52,
  garbage = 1024, -- bytes, besides the answer and its index
  filling = 5000, -- instructions that set libcurl's options
  -- of a page of 1000 sessions, id and state of each read
  page = 25e6, -- instructions
  page_garbage = 0.6 * 2^20, -- bytes, besides the answer and its index
  page_size = 2.2, -- the answer and its index to the body
  page_peak = 5, -- MB over a client that has read one session
  table_peak = 12, -- the same, made a plain table
  -- 64 at a time, of the floor's rate
  many_raw = 0.90,
  many_session = 0.75,
  many_undici = 3, -- times as many as undici
  late = 0.97, -- of a service that takes 20 ms for each
  -- processor time for a GET, of the floor's
  busy = 1.45,
  -- of a floor that computes the same hash
  upload_busy = 1.05,
  upload = 1.1, -- instructions
  reader = 2.2e6, -- instructions for each MB, besides the hash
  upload_peak = 1, -- MB over a client that has read one session
  upload_growth = 0.25, -- MB, from 100 MB to 1 GB
}
