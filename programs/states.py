"""Tables of legal moves of this app."""

from common.states import Move

PLANNED, RUNNING, FINISHED, STOPPED = "planned", "running", "finished", "stopped"
PROJECT_MOVES = {
    "start": Move({PLANNED}, RUNNING),
    "finish": Move({RUNNING}, FINISHED),
    "stop": Move({PLANNED, RUNNING}, STOPPED),
    "resume": Move({STOPPED}, RUNNING),
}

AWAITED, DELIVERED = "awaited", "delivered"
DELIVERABLE_MOVES = {"deliver": Move({AWAITED}, DELIVERED)}

DRAFTING, RETURNED, SUBMITTED, CHECKED, CONFIRMED = "drafting", "returned", "submitted", "checked", "confirmed"
IN_APPROVAL, APPROVED, REFUSED, WITHDRAWN = "in_approval", "approved", "refused", "withdrawn"
PLAN_WRITABLE = frozenset({DRAFTING, RETURNED})
PLAN_OPEN = PLAN_WRITABLE | {SUBMITTED, CHECKED, CONFIRMED, IN_APPROVAL}
PLAN_MOVES = {
    "submit": Move(PLAN_WRITABLE, SUBMITTED),
    "check": Move({SUBMITTED}, CHECKED),
    "confirm": Move({CHECKED}, CONFIRMED),
    "propose_approval": Move({CONFIRMED}, IN_APPROVAL),
    "approve": Move({IN_APPROVAL}, APPROVED),
    "return": Move({SUBMITTED, CHECKED, CONFIRMED, IN_APPROVAL}, RETURNED),
    "refuse": Move({SUBMITTED, CHECKED, CONFIRMED, IN_APPROVAL}, REFUSED),
    "withdraw": Move({DRAFTING, RETURNED, SUBMITTED, CHECKED, CONFIRMED}, WITHDRAWN),
    "order": Move({DRAFTING}, APPROVED),
}

PROPOSED, REPLACED, CONCLUDED = "proposed", "replaced", "concluded"
ALLOCATION_WRITABLE = frozenset({DRAFTING, RETURNED})
ALLOCATION_OPEN = ALLOCATION_WRITABLE | {PROPOSED}
ALLOCATION_MOVES = {
    "propose": Move(ALLOCATION_WRITABLE, PROPOSED),
    "approve": Move({PROPOSED}, APPROVED),
    "return": Move({PROPOSED}, RETURNED),
    "refuse": Move({PROPOSED}, REFUSED),
    "withdraw": Move(ALLOCATION_OPEN, WITHDRAWN),
    "replace": Move({APPROVED}, REPLACED),
}

CONTRACT_WRITABLE = frozenset({DRAFTING, RETURNED})
CONTRACT_OPEN = CONTRACT_WRITABLE | {PROPOSED}
CONTRACT_MOVES = {
    "propose": Move(CONTRACT_WRITABLE, PROPOSED),
    "conclude": Move({PROPOSED}, CONCLUDED),
    "return": Move({PROPOSED}, RETURNED),
    "withdraw": Move(CONTRACT_OPEN, WITHDRAWN),
    "replace": Move({CONCLUDED}, REPLACED),
}

OPEN, ESCALATED, CLOSED = "open", "escalated", "closed"
RISK_MOVES = {
    "escalate": Move({OPEN}, ESCALATED),
    "answer": Move({ESCALATED}, OPEN),
    "close": Move({OPEN, ESCALATED}, CLOSED),
    "reopen": Move({CLOSED}, OPEN),
}

DATA_PLAN_WRITABLE = frozenset({DRAFTING, RETURNED})
DATA_PLAN_OPEN = DATA_PLAN_WRITABLE | {SUBMITTED}
DATA_PLAN_MOVES = {
    "submit": Move(DATA_PLAN_WRITABLE, SUBMITTED),
    "confirm": Move({SUBMITTED}, CONFIRMED),
    "return": Move({SUBMITTED}, RETURNED),
}

ANSWERED = "answered"
ADVICE_MOVES = {
    "answer": Move({OPEN}, ANSWERED),
    "reopen": Move({ANSWERED}, OPEN),
    "close": Move({OPEN, ANSWERED}, CLOSED),
}

IN_FORCE = "in_force"
POLICY_WRITABLE = frozenset({DRAFTING, RETURNED})
POLICY_OPEN = POLICY_WRITABLE | {SUBMITTED}
POLICY_MOVES = {
    "submit": Move(POLICY_WRITABLE, SUBMITTED),
    "return": Move({SUBMITTED}, RETURNED),
    "put_in_force": Move({SUBMITTED}, IN_FORCE),
    "withdraw": Move(POLICY_OPEN, WITHDRAWN),
}
