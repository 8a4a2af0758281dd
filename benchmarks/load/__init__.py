"""Load on the service, from processes of its own and cheap: HTTP/1.1 on bare sockets."""
