"""What schemathesis is told about Souk: who asks, how to reach the good answers, and what a schema cannot say.

It loads this module in its own process; `run` tells by FUZZ_STATE what the shop holds. Nothing here hides an answer: a call is made one that can
succeed, or the reason of a refusal is compared with the reasons that are right.
"""

import hashlib
import hmac
import itertools
import json
import os
import re
import time

import schemathesis
from schemathesis.core.failures import Failure
from schemathesis.generation.meta import TestPhase
from schemathesis.openapi.checks import RejectedPositiveData

import shop

with open(os.environ["FUZZ_STATE"], encoding="utf-8") as file:
    STATE = json.load(file)
# Past the gateway, so that preparing a call is not limited as strangers are.
USERS = shop.Client(STATE["addresses"]["user-service"])
PRODUCTS = shop.Client(STATE["addresses"]["product-service"])
NUMBERS = itertools.count(1)


def name(of):
    """An account's name that nobody has: several processes share one shop."""
    return f"{of}-{os.getpid()}-{next(NUMBERS)}"


class Person:
    """Somebody with an account, whose access token is good at any time."""

    LIFETIME_SECONDS = 600

    def __init__(self, email=None):
        self.email = email or shop.register(USERS, name("person"))
        self.password = shop.PASSWORD
        self.got = None

    @property
    def token(self):
        if self.got is None or time.monotonic() - self.got[0] > self.LIFETIME_SECONDS:
            body = {"email": self.email, "password": self.password}
            self.got = (time.monotonic(), USERS.ask("POST", "/api/users/login", body)["accessToken"])
        return self.got[1]


class People:
    """Made when they are first needed: each costs a password's hashing."""

    def __init__(self):
        self.known = {"administrator": Person("admin@souk.local"), "customer": Person("ada@example.com")}

    def __getitem__(self, role):
        if role not in self.known:
            self.known[role] = Person()
        return self.known[role]


PEOPLE = People()
ROLES = {"getProfile": "customer", "changeProfile": "customer", "verifyEmail": "customer", "changePassword": "owner of a password"}


def operation_id(case):
    return case.operation.definition.raw.get("operationId")


# Who asks


@schemathesis.auth(refresh_interval=None)
class AccessToken:
    """The administrator, who may do everything; a customer for what is about one's own account, and for every other fuzzed request."""

    def get(self, case, context):
        if not case.operation.definition.raw["security"]:
            return None
        if operation_id(case) == "eraseProfile":
            return Person().token
        # Not in a chain of calls, where one person goes on with what the same person began.
        is_fuzzed = case.meta is not None and case.meta.phase.name == TestPhase.FUZZING
        role = "customer" if is_fuzzed and next(NUMBERS) % 2 else "administrator"
        return PEOPLE[ROLES.get(operation_id(case), role)].token

    def set(self, case, token, context):
        case.headers["Authorization"] = f"Bearer {token}"


# Reaching the good answers


def id_in_path(case):
    return int(case.path_parameters["id"])


REFRESH_TOKENS = []
RESET_TOKENS = [STATE["reset"][STATE["through"]]]


def refresh_session(case):
    """With a refresh token that is good: the one that was given last."""
    if not REFRESH_TOKENS:
        REFRESH_TOKENS.append(shop.log_in(USERS, "ada@example.com")["refreshToken"])
    case.body = {**case.body, "refreshToken": REFRESH_TOKENS.pop()}


def change_password(case):
    case.body = {**case.body, "currentPassword": PEOPLE["owner of a password"].password}


def confirm_reset(case):
    if RESET_TOKENS:
        case.body = {**case.body, "token": RESET_TOKENS.pop()}


def register(case):
    """Under an address that nobody has: the documents' own example is taken."""
    if case.body["email"] == "ada@example.com":
        case.body = {**case.body, "email": f"{name('ada')}@example.com"}


def log_in(case):
    """Through the gateway all come from one address, which would be slowed down: so there the password is right."""
    if STATE["through"] == "gateway":
        case.body = {"email": "ada@example.com", "password": shop.PASSWORD}


def archive(case):
    """A product of its own: the others are still needed."""
    if id_in_path(case) <= STATE["product"]:
        body = {"name": "Short-lived", "price": 1, "stock": 1}
        case.path_parameters["id"] = PRODUCTS.ask("POST", "/api/products", body, PEOPLE["administrator"].token)["id"]


def follow(case):
    """From the beginning, where something is there to be read at once: an order's next change may be days away."""
    if id_in_path(case) != 1:
        case.headers.pop("Last-Event-ID", None)


def deliver(case):
    """Not order 2, which is there to be shipped."""
    if id_in_path(case) == 2:
        case.path_parameters["id"] = 3


def refund(case):
    """Not order 2's payment, for the same reason; and of order 3's so little that it lasts."""
    if id_in_path(case) <= 3:
        case.path_parameters["id"] = 3
        case.body = {**case.body, "amount": 0.01}


def sign(case):
    """As the provider signs, and of a kind that needs no charge: of one that is not known here yet the provider is told to come again."""
    if not re.fullmatch(r"t=\d{10},v1=[0-9a-f]{64}", case.headers.get("Souk-Signature", "")):
        return  # It is meant to be none.
    case.body = {**case.body, "type": "payout.paid"}
    # As schemathesis will write it: were it not the same, no notice would be taken, and the run would say so.
    body = json.dumps(case.body).encode()
    seconds = int(time.time())
    code = hmac.new(shop.WEBHOOK_SECRET.encode(), f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    case.headers["Souk-Signature"] = f"t={seconds},v1={code}"


PREPARATIONS = {
    "refreshSession": refresh_session, "changePassword": change_password, "confirmPasswordReset": confirm_reset, "logIn": log_in,
    "register": register, "archiveProduct": archive, "followOrder": follow, "deliverOrder": deliver,
    "refundPayment": refund, "receiveNotice": sign,
}


@schemathesis.hook
def before_call(context, case, kwargs):
    # Failed logins are counted by address; these are not of one guesser.
    number = next(NUMBERS)
    case.headers["X-Forwarded-For"] = f"198.{18 + number // 65536 % 2}.{number // 256 % 256}.{number % 256}"
    is_positive = case.meta is None or case.meta.generation.mode.is_positive
    if is_positive:
        # What a cursor holds is the list's business, so that one out of thin air is refused, and hides what else there is to see.
        case.query.pop("cursor", None)
        # So is what a repeated key or another version stands before: only now and then.
        if number % 4:
            case.headers.pop("If-Match", None)
            if "Idempotency-Key" in case.headers:
                case.headers["Idempotency-Key"] = f"fuzz-{os.getpid()}-{number}"
        PREPARATIONS.get(operation_id(case), lambda case: None)(case)


@schemathesis.hook
def after_call(context, case, response):
    if operation_id(case) == "refreshSession" and response.status_code == 200:
        REFRESH_TOKENS.append(response.json()["refreshToken"])
    if operation_id(case) == "changePassword" and response.status_code == 204:
        PEOPLE["owner of a password"].password = case.body["newPassword"]


# What a schema cannot say

#: Kinds of problems with which a request is refused rightly that keeps to its schema: they are about what is there.
STATE_PROBLEMS = {
    "user-exists", "invalid-token", "insufficient-stock", "refund-exceeds-captured", "precondition-failed", "idempotency-key-reused",
}
#: Mistakes by rules between members, or between a member and what is there.
RULES = [
    (r"/price|/amount", r"must have at most \d decimals.*|must be at least (1|0\.01)"),
    (r"/currency", r"must be [A-Z]{3}, the currency of the products"),
    (r"/items/\d+/productId", r"is in an earlier line already"),
    (r"/quantity", r"would make more pieces than a product can have"),
    (r"/notifications/sms", r"needs a phone number"),
]


def is_right(problem):
    """Whether a request that keeps to its schema may be refused for this."""
    kind = problem["type"].rpartition(":")[2]
    if kind in STATE_PROBLEMS or (kind == "malformed-json" and problem["error"].endswith("a number is too long")):
        return True
    mistakes = problem.get("errors", [])
    return bool(mistakes) and all(
        any(re.fullmatch(where, mistake["pointer"]) and re.fullmatch(what, mistake["detail"]) for where, what in RULES)
        for mistake in mistakes)


@schemathesis.hook
def filter_failure(context, failure: Failure, case, response):
    return not (isinstance(failure, RejectedPositiveData) and is_right(response.json()))
