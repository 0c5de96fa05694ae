"""The same GETs with Python's http.client and json.

    http_client.py COUNT PORT PATH
"""

import http.client
import json
import sys

count, port, path = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
connection = http.client.HTTPConnection("127.0.0.1", port)
headers = {"Accept": "application/json", "Authorization": "Bearer bench"}

for _ in range(count):
    connection.request("GET", path, headers=headers)
    response = connection.getresponse()
    body = response.read()
    assert response.status == 200
    session = json.loads(body)
    assert session["id"] and session["title"]
    assert session["lifecycle"]["state"] == "READY"
