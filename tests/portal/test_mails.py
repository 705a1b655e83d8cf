"""My mails: those to me and nobody else's, and the choice between each at once and one digest a day."""

import pytest
from django.utils import timezone

from accounts.models import User
from common.mail import Recipient, queue
from common.models import OutgoingMail

pytestmark = pytest.mark.django_db


def sent_to(user, key):
    context = {"mails": [{"subject": "件名", "body": f"本文{key}"}], "count": 1}
    return queue("digest", Recipient(user.email, "ja", user.pk, False), context, key=key, at=timezone.now())


def test_mails_when_read_then_mine_and_nobody_elses(client, cast):
    sent_to(cast["pi1"], "mine-1")
    sent_to(cast["pi2"], "other-1")
    client.force_login(cast["pi1"])
    body = client.get("/mail/").content.decode()
    assert "本文mine-1" in body
    assert "other-1" not in body


def test_mails_when_there_are_none_then_says_so(client, cast):
    OutgoingMail.objects.filter(recipient_id=cast["applicant1"].pk).delete()
    client.force_login(cast["applicant1"])
    assert 'class="empty"' in client.get("/mail/").content.decode()


@pytest.mark.parametrize("count", [1, 3])
def test_mails_when_there_are_more_then_the_queries_are_the_same(client, cast, count, django_assert_num_queries):
    OutgoingMail.objects.filter(recipient_id=cast["pi1"].pk).delete()
    for n in range(count):
        sent_to(cast["pi1"], f"m-{n}")
    client.force_login(cast["pi1"])
    client.get("/mail/")
    with django_assert_num_queries(5):
        client.get("/mail/")


def test_digest_when_chosen_then_kept_and_an_unknown_choice_is_refused(client, cast):
    client.force_login(cast["pi1"])
    client.post("/mail/", {"digest": "daily"}, follow=True)
    assert User.objects.get(pk=cast["pi1"].pk).digest == "daily"
    answer = client.post("/mail/", {"digest": "never"}, follow=True)
    assert User.objects.get(pk=cast["pi1"].pk).digest == "daily"
    assert len(answer.context["messages"]) == 1
