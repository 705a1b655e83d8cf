"""Tables of legal moves of this app."""

from common.states import Move

DECLARED, CONFIRMED, DISMISSED, ENDED = "declared", "confirmed", "dismissed", "ended"
CONFLICT_MOVES = {
    "confirm": Move({DECLARED}, CONFIRMED),
    "dismiss": Move({DECLARED}, DISMISSED),
    "end": Move({CONFIRMED}, ENDED),
}

DRAFTING, OPEN, FIRST_CLOSED, FINAL_CLOSED = "drafting", "open", "first_closed", "final_closed"
CLOSED, INVALIDATED = "closed", "invalidated"
#: Scores come in while a round is open; the first ones stand from `first_close`, all of them from `final_close`.
ROUND_MOVES = {
    "open": Move({DRAFTING}, OPEN),
    "close_first": Move({OPEN}, FIRST_CLOSED),
    "close_final": Move({FIRST_CLOSED}, FINAL_CLOSED),
    "close": Move({FINAL_CLOSED}, CLOSED),
    "invalidate": Move({OPEN, FIRST_CLOSED, FINAL_CLOSED}, INVALIDATED),
}
ROUND_RUNNING = frozenset({OPEN, FIRST_CLOSED, FINAL_CLOSED})

PREPARING, CONCLUDED = "preparing", "concluded"
#: A case: documents closed (declarations, assignment) > documents open > concluded by a decision.
CASE_MOVES = {
    "open_documents": Move({PREPARING}, OPEN),
    "conclude": Move({OPEN}, CONCLUDED),
    "invalidate": Move({PREPARING, OPEN}, INVALIDATED),
}
CASE_LIVE = frozenset({PREPARING, OPEN})

CALLED, SUBMITTED, SEALED, RECOMMENDED = "called", "submitted", "sealed", "recommended"
DECIDED, RELEASED = "decided", "released"
#: One project at one gate, from the call for a dossier to the decision that everybody may read.
GATE_REVIEW_MOVES = {
    "submit": Move({CALLED}, SUBMITTED),
    "return": Move({SUBMITTED}, CALLED),
    "seal": Move({SUBMITTED}, SEALED),
    "recommend": Move({SEALED}, RECOMMENDED),
    "take_back": Move({RECOMMENDED}, SEALED),
    "decide": Move({RECOMMENDED}, DECIDED),
    "release": Move({DECIDED}, RELEASED),
    "reexamine": Move({RELEASED}, SEALED),
    "invalidate": Move({CALLED, SUBMITTED, SEALED, RECOMMENDED}, INVALIDATED),
}

PROPOSED, DECLINED, REPLACED = "proposed", "declined", "replaced"
#: Who reads what: proposed, counts once the chair has confirmed it.
ASSIGNMENT_MOVES = {
    "confirm": Move({PROPOSED}, CONFIRMED),
    "decline": Move({CONFIRMED}, DECLINED),
    "replace": Move({PROPOSED, CONFIRMED}, REPLACED),
}

INVITED, ACCEPTED = "invited", "accepted"
#: A member of a panel serves once the appointment is accepted and the pledge given.
MEMBER_MOVES = {
    "accept": Move({INVITED}, ACCEPTED),
    "decline": Move({INVITED}, DECLINED),
    "end": Move({INVITED, ACCEPTED}, ENDED),
}

APPROVED = "approved"
#: An interested member is admitted to a case by two people; the admission can be taken back.
ADMISSION_MOVES = {
    "approve": Move({PROPOSED}, APPROVED),
    "end": Move({PROPOSED, APPROVED}, ENDED),
}

DRAFT, RETURNED = "draft", "returned"
#: A score sheet: written, handed in by the first close, sent back with a reason, handed in again.
SHEET_MOVES = {
    "submit": Move({DRAFT, RETURNED}, SUBMITTED),
    "return": Move({SUBMITTED}, RETURNED),
}

CHECKING, GIVEN = "checking", "given"
#: A finding: drafted, shown to the project for facts only, given by the chair; taken back before a decision.
FINDING_MOVES = {
    "send": Move({DRAFTING}, CHECKING),
    "resume": Move({CHECKING}, DRAFTING),
    "give": Move({DRAFTING, CHECKING}, GIVEN),
    "take_back": Move({GIVEN}, DRAFTING),
}

QUEUED, RUNNING, DONE, FAILED = "queued", "running", "done", "failed"
#: A computation in the background: a worker that died leaves it running, and the next one begins it again.
RUN_MOVES = {
    "start": Move({QUEUED}, RUNNING),
    "finish": Move({RUNNING}, DONE),
    "fail": Move({QUEUED, RUNNING}, FAILED),
}

DRAFTED, WITHDRAWN, IN_FORCE = "drafted", "withdrawn", "in_force"
#: A decision: drafted, decided by another, released to everybody at once, in force when no objection is open any more.
DECISION_MOVES = {
    "decide": Move({DRAFTED}, DECIDED),
    "withdraw": Move({DRAFTED}, WITHDRAWN),
    "release": Move({DECIDED}, RELEASED),
    "put_in_force": Move({RELEASED}, IN_FORCE),
    "replace": Move({DECIDED, RELEASED, IN_FORCE}, REPLACED),
}
DECISION_STANDS = frozenset({RELEASED, IN_FORCE})
DECISION_PUBLIC = DECISION_STANDS | {REPLACED}

REPORTED, MET, NOT_MET = "reported", "met", "not_met"
#: A condition: open until the team reports on it; met, or not, as the program officer finds.
CONDITION_MOVES = {
    "report": Move({OPEN, NOT_MET}, REPORTED),
    "confirm": Move({REPORTED}, MET),
    "refuse": Move({REPORTED}, NOT_MET),
}
CONDITION_LEFT = frozenset({OPEN, REPORTED, NOT_MET})

FILED, REFUSED = "filed", "refused"
#: An objection to a decision: filed within the window, accepted (reviewed anew) or refused with the reasons.
OBJECTION_MOVES = {
    "accept": Move({FILED}, ACCEPTED),
    "refuse": Move({FILED}, REFUSED),
}

KEPT, ARCHIVED = "kept", "archived"
#: A scenario that is kept stands still; it is copied to go on, and archived when it is of no more use.
SCENARIO_MOVES = {
    "keep": Move({DRAFT}, KEPT),
    "archive": Move({KEPT}, ARCHIVED),
}
