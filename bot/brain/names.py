"""Names of slots and actions that code shares with domain.yml.

Questionnaire items and callback fields are slots of the same name, see
`bot.vocabulary`. `tests/test_names.py` proves that domain.yml has them all.
"""

from __future__ import annotations

# slots
LANGUAGE = "language"
TIER = "tier"  # the highest tier seen in this conversation
TIER_RULE = "tier_rule"  # what set it, for the record
SAFETY_CATEGORY = "safety_category"  # what kind of danger that was, the most serious
CRISIS_TURNS = "crisis_turns"  # messages of danger so far: the second gets another answer
PENDING = "pending"  # the yes/no question that is open outside forms
LEVEL = "level"
AT_LEAST = "at_least"
HANDOFF = "handoff"
REFERENCE = "reference"
ASKED = "asked"  # questionnaire items in the order they were answered
MISSES = "misses"  # messages in a row that were not understood
CONFIRM = "confirm"
PHONE_OWNER = "phone_owner"  # whose number it is, see `bot.handoff.callback`
KNOWN_PHONE = "known_phone"  # the number that the channel knows (SMS), E.164
PHONE_REFUSED = "phone_refused"  # it was explained once why a number is needed
RELATION = "relation"  # whom the visitor asks for, see `bot.care.sheet.AnswerSheet`
RESULT_DUE = "result_due"  # after a correction: the rules are to run again at once

# values of PENDING
PENDING_CONSENT = "consent"
PENDING_CONCERN = "concern"
PENDING_CRISIS = "crisis"

# forms
TRIAGE_FORM = "triage_form"
CALLBACK_FORM = "callback_form"

# actions
ACTION_SAY = "action_say"
ACTION_FAQ = "action_faq"
ACTION_REPAIR = "action_repair"
ACTION_YES = "action_yes"
ACTION_NO = "action_no"
ACTION_REPEAT = "action_repeat"
ACTION_ASK_WHY = "action_ask_why"
ACTION_GO_BACK = "action_go_back"
ACTION_RESTART = "action_restart"
ACTION_DELETE_MY_DATA = "action_delete_my_data"
ACTION_SWITCH_LANGUAGE = "action_switch_language"
ACTION_TRIAGE_RESULT = "action_triage_result"
ACTION_HANDOFF = "action_handoff"
ACTION_CALLBACK_REQUEST = "action_callback_request"
ACTION_SAFETY = "action_safety"
ACTION_SAFETY_FOLLOW_UP = "action_safety_follow_up"
VALIDATE_TRIAGE_FORM = "validate_triage_form"
VALIDATE_CALLBACK_FORM = "validate_callback_form"
