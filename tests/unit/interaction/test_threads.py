"""Which talks are one conversation: by the ids they name, and across channels by topic and closeness in time."""

from __future__ import annotations

from hypothesis import given

from schemas.envelope import Event
from services.interaction.domain.conversations import conversations
from tests.unit.interaction.talking import EVENTS, at, call, event, facts, message, states, talk, talks


def test_a_message_nobody_replied_to_is_no_conversation() -> None:
    offers = [event("message.sent", {"message_id": f"m{n}", "subject": "Offers"}, id=str(n)) for n in range(3)]
    assert talks(*offers) == []
    reply = event(
        "message.replied", {"reply_to": "m1", "text": "Stop it", "subject": "RE: Offers"}, id="9", minutes=1
    )
    found = talk(*offers, reply)
    assert found["state"] == "waiting_for_us"
    assert found["event_ids"] == [offers[1].event_id, reply.event_id]
    assert found["topic"] == "Offers"


def test_a_reply_without_what_it_answers_is_a_conversation_of_its_own() -> None:
    reply = event("message.replied", {"reply_to": "m1", "text": "And in 43?", "subject": "Re: AW: New shoes"})
    found = talk(reply)
    assert (found["conversation_id"], found["topic"]) == (reply.event_id, "New shoes")


def test_a_reply_may_name_the_event_it_answers() -> None:
    sent = event("message.sent", {"message_id": "m1"}, id="sent")
    by_sender = event("message.replied", {"text": "Yes", "reply_to": "sent"}, id="r", minutes=1)
    by_us = event("message.replied", {"text": "Yes"}, id="r", minutes=1, source="app", reply_to=sent.event_id)
    assert all(talk(sent, reply)["event_ids"] == [sent.event_id, reply.event_id] for reply in (by_sender, by_us))


def test_a_ticket_that_names_a_conversation_belongs_to_it() -> None:
    ticket = event("ticket.opened", {"ticket_id": "T", "subject": "Sole", "conversation_id": "c1"}, id="1", minutes=3)
    resolved = event("ticket.closed", {"ticket_id": "T", "resolution": "New pair"}, id="2", minutes=4)
    found = talk(resolved, ticket, message("Hi", id="0"))
    assert (found["conversation_id"], found["state"]) == ("c1", "closed")
    assert found["last_said"] == {"by": "us", "text": "New pair", "at": at(minutes=4)}


def test_threads_on_one_topic_are_one_conversation_across_channels() -> None:
    chat = event("conversation.opened", {"conversation_id": "c1", "topic": "Size 43"}, id="1")
    phone = call({"topics": ["size  43!"], "summary": "Which?"}, id="2", days=7)
    found = talk(phone, chat)
    assert (found["conversation_id"], found["channels"]) == ("c1", ["chat", "call"])


def test_an_id_of_the_earliest_thread_is_that_of_the_conversation() -> None:
    phone = call({"topics": ["size"]}, id="1")
    chat = event("conversation.opened", {"conversation_id": "c1", "topic": "size"}, id="2", days=1)
    assert talk(phone, chat)["conversation_id"] == phone.event_id
    by_shown_id = message("Hi", conversation=phone.event_id, id="3", days=20, source="customer360")
    assert len(talks(phone, chat, by_shown_id)) == 1


def test_threads_far_apart_or_on_other_topics_stay_apart() -> None:
    chat = event("conversation.opened", {"conversation_id": "c1", "topic": "size"}, id="1")
    assert len(talks(chat, call({"topics": ["size"]}, id="2", days=7.01))) == 2
    assert len(talks(chat, call({"topics": ["refund"]}, id="2"))) == 2
    assert len(talks(event("conversation.opened", {"conversation_id": "c1"}, id="1"), call(id="2"))) == 2


def test_what_was_settled_before_is_another_matter() -> None:
    chat = event("conversation.opened", {"conversation_id": "c1", "topic": "size"}, id="1")
    closed = event("conversation.closed", {"conversation_id": "c1"}, id="2", days=1)
    before, after = call({"topics": ["size"]}, id="3", minutes=5), call({"topics": ["size"]}, id="4", days=2)
    assert len(talks(chat, closed, after)) == 2
    assert states(talks(chat, closed, before)) == {"c1": "closed"}


def test_two_shops_tickets_of_one_number_stay_apart() -> None:
    tickets = [event("ticket.opened", {"ticket_id": "7", "subject": s}, id="1", source=s) for s in ("shop", "other")]
    assert len(talks(*tickets)) == 2


def test_one_id_of_two_shops_is_shown_once() -> None:
    one, other = (message("Hi", id="1", source=s, minutes=m) for m, s in enumerate(["shop", "other"]))
    assert sorted(states(talks(one, other))) == sorted(["c1", other.event_id])


def test_an_app_names_ids_as_they_were_shown() -> None:
    ticket = event("ticket.opened", {"ticket_id": "7", "subject": "Sole", "conversation_id": "c1"}, id="1")
    made = event("promise.made", {"promise_id": "p", "text": "New pair", "conversation_id": "c1"}, id="2", minutes=1)
    closed = event("ticket.closed", {"ticket_id": "7"}, id="3", minutes=2, source="customer360")
    kept = event("promise.kept", {"promise_id": "p"}, id="4", minutes=3, source="customer360")
    found = talk(ticket, made, closed, kept)
    assert (found["state"], found["promises"][0]["state"]) == ("closed", "kept")


@given(EVENTS)
def test_every_talk_is_in_exactly_one_conversation(events: list[Event]) -> None:
    found = [f.rank for c in conversations(facts(*events)) for f in c.facts]
    assert len(found) == len(set(found))
    ids = [c.conversation_id for c in conversations(facts(*events))]
    assert len(ids) == len(set(ids))
