"""A question at the end of a story, a pasted article: what is asked is answered."""

STORY = (
    "Hi there. I am a line cook, thirty one, and for about two months now I wake up at four in "
    "the morning with my heart racing. My sister finally talked me into looking for help and she "
    "sent me the link to your page. I can't just vanish from the kitchen though, we are short on "
    "people as it is. "
)
ARTICLE = (
    "Intensive outpatient programs have grown across the country. Clinicians describe them as a "
    "middle ground. Participants attend several sessions every week and return home at night. "
    "Researchers have compared outcomes between settings for many years. "
) * 60


def test_the_question_at_the_end_of_a_story_is_answered(ask):
    ask("greater_boston").says(
        STORY + "Could I keep my shifts while I go through the intensive program?"
    ).hears("faq_work_school")


def test_the_question_at_the_beginning_is_answered(ask):
    ask("greater_boston").says("Is this covered by insurance? " + STORY).hears("faq_cost_insurance")


def test_danger_in_the_middle_of_a_story_outranks_its_question(ask):
    text = (
        STORY + "Last night I decided to kill myself. " + "Could I keep my shifts in the program?"
    )
    ask("greater_boston").says(text).hears("crisis_self", "988")


def test_a_pasted_article_gets_a_sensible_reply(ask):
    visitor = ask("greater_boston").says(ARTICLE)
    visitor.is_at(tier="none", open_question=None).hears("long_message")
    assert len(visitor.answer.messages) <= 3


def test_a_question_behind_a_pasted_paragraph_is_answered(ask):
    visitor = ask("greater_boston").says(ARTICLE[:1500] + ". How much does it cost with you?")
    visitor.hears("faq_cost_insurance")
