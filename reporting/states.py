"""Tables of legal moves of this app."""

from common.states import Move

DRAFTING, SUBMITTED, CHECKED, RETURNED, ACCEPTED = "drafting", "submitted", "checked", "returned", "accepted"
REPORT_MOVES = {
    "submit": Move({DRAFTING, RETURNED}, SUBMITTED),
    "check": Move({SUBMITTED}, CHECKED),
    "return": Move({SUBMITTED, CHECKED}, RETURNED),
    "accept": Move({CHECKED}, ACCEPTED),
}
