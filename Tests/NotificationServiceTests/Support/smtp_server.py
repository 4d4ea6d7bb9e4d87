"""A mail server for tests: takes mail on a free loopback port and tells about it as JSON lines on standard output.

The first line is {"port": N}. Then one line for each message that it accepted: the envelope, the headers and the parts, as Python's own
email parser reads them. The password of an `AUTH` is checked when there is one.

    smtp_server.py                    accepts everything
    smtp_server.py --refuse N         refuses the first N messages with 554, then accepts
    smtp_server.py --auth NAME:WORD   accepts only after authentication

It ends when its standard input does, so that it cannot outlive the test that started it.
"""

import argparse
import asyncio
import email
import email.policy
import json
import sys

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword


def tell(value):
    print(json.dumps(value), flush=True)


def as_json(envelope):
    message = email.message_from_bytes(envelope.content, policy=email.policy.default)
    parts = [part for part in message.walk() if not part.is_multipart()]
    return {
        "sender": envelope.mail_from,
        "recipients": envelope.rcpt_tos,
        "headerNames": message.keys(),
        "subject": message["Subject"],
        "from": message["From"],
        "to": message["To"],
        "date": message["Date"].datetime.isoformat(),
        "messageID": message["Message-ID"],
        "contentType": message.get_content_type(),
        "parts": [{"type": part.get_content_type(), "text": part.get_content()} for part in parts],
        "defects": [str(defect) for part in message.walk() for defect in part.defects],
        "longestLine": max(len(line) for line in envelope.content.split(b"\r\n")),
    }


class Handler:
    def __init__(self, refusals):
        self.refusals = refusals

    async def handle_DATA(self, server, session, envelope):
        if self.refusals > 0:
            self.refusals -= 1
            tell({"refused": envelope.rcpt_tos})
            return "554 5.7.1 Not today"
        tell(as_json(envelope))
        return "250 Message accepted for delivery"


def authenticator(expected):
    def check(server, session, envelope, mechanism, data):
        given = isinstance(data, LoginPassword) and f"{data.login.decode()}:{data.password.decode()}"
        return AuthResult(success=given == expected, handled=False)

    return check


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--refuse", type=int, default=0)
    parser.add_argument("--auth")
    arguments = parser.parse_args()
    options = {}
    if arguments.auth:
        options = {"auth_required": True, "auth_require_tls": False, "authenticator": authenticator(arguments.auth)}
    handler = Handler(arguments.refuse)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(handler, hostname="test", **options), "127.0.0.1", 0)
    tell({"port": server.sockets[0].getsockname()[1]})
    await loop.run_in_executor(None, sys.stdin.buffer.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(main())
