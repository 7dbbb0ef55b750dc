"""The words of the house: every name that code, data and tests share.

Levels of care, tiers, questionnaire items, FAQ topics, visitor acts. Nothing
here imports anything of ours. `tests/test_vocabulary.py` proves that
`domain.yml`, the data and the docs use exactly these names.
"""

from __future__ import annotations

from typing import Dict, Tuple

LANGUAGES: Tuple[str, ...] = ("en", "es")
SMS = "sms"
BY_STAFF = "staff"  # response name of what a person at the clinic wrote
CHANNELS: Tuple[str, ...] = ("web", SMS)

# --- levels of care, lowest to highest ---------------------------------------
OUTPATIENT = "outpatient"
IOP = "iop"
PHP = "php"
INPATIENT = "inpatient"
CRISIS_ASSESSMENT = "crisis_assessment"
EMERGENCY = "emergency"
LEVELS: Tuple[str, ...] = (
    OUTPATIENT,
    IOP,
    PHP,
    INPATIENT,
    CRISIS_ASSESSMENT,
    EMERGENCY,
)
# Not a level: not enough is known, a person decides.
CONSULTATION = "consultation"

# --- a wish to be forgotten ----------------------------------------------------
# The brain says this when the visitor has confirmed; the gateway then deletes, and says
# what it has deleted and what it has kept.
DELETION_CONFIRMED = "data_deleted"

# --- tiers of the safety screen, lowest to highest ----------------------------
TIER_NONE = "none"
TIER_CONCERN = "concern"
TIER_CRISIS_OTHER = "crisis_other"
TIER_CRISIS_SELF = "crisis_self"
TIER_EMERGENCY = "emergency"
TIERS: Tuple[str, ...] = (
    TIER_NONE,
    TIER_CONCERN,
    TIER_CRISIS_OTHER,
    TIER_CRISIS_SELF,
    TIER_EMERGENCY,
)

# --- hand-off kinds -----------------------------------------------------------
HANDOFF_PHONE = "phone"
HANDOFF_CALLBACK = "callback"
HANDOFF_CRISIS = "crisis"
HANDOFF_NONE = "none"
HANDOFFS: Tuple[str, ...] = (
    HANDOFF_PHONE,
    HANDOFF_CALLBACK,
    HANDOFF_CRISIS,
    HANDOFF_NONE,
)

# --- questionnaire items and their values -------------------------------------
UNKNOWN = "unknown"  # not asked, refused or "not sure"; every item takes it
STATE = "state"  # its values are the US states' two-letter codes
ITEMS: Dict[str, Tuple[str, ...]] = {
    "for_whom": ("self", "someone_else"),
    "age_band": ("adult", "under_18"),
    STATE: (),
    "safety_now": ("no", "past", "now", "immediate"),
    "withdrawal_risk": ("none", "possible", "severe_signs"),
    "needs_24h_care": ("no", "yes"),
    "recent_care": ("none", "outpatient", "iop", "php", "inpatient"),
    "stability": ("stable", "not_stable"),
    "symptom_severity": ("mild", "moderate", "severe"),
    "daily_functioning": ("managing", "struggling", "unable"),
    "weekly_enough": ("yes", "no"),
    "recurring_crises": ("no", "yes"),
    "substance_use": ("none", "alongside", "main_concern"),
    "medication_support": ("none", "review", "monitoring"),
    "support_at_home": ("strong", "some", "none"),
    "emotion_regulation": ("no", "yes"),
    "availability": ("daytime", "evenings", "limited"),
}

# --- the callback form and the yes/no questions around forms -------------------
CONSENT = "consent"  # may I ask / shall I take your details
CONFIRM = "confirm"  # is this right
CONCERN = "concern"  # the safety screen's direct question

# --- FAQ topics; the intent of topic `x` is `faq_x` -----------------------------
FAQ_TOPICS: Tuple[str, ...] = (
    "difference_iop_outpatient",
    "what_is_iop",
    "what_is_outpatient",
    "what_is_php",
    "what_is_inpatient",
    "who_is_iop_for",
    "who_is_outpatient_for",
    "work_school",
    "schedule",
    "program_length",
    "effectiveness",
    "medication_management",
    "conditions_treated",
    "therapies",
    "group_therapy",
    "dual_diagnosis",
    "anger_management",
    "step_up_step_down",
    "detox",
    "cost_insurance",
    "location_contact",
    "opening_hours",
    "telehealth",
    "privacy",
    "family_involvement",
    "age_eligibility",
    "what_to_expect",
    "how_soon",
    "inclusive_care",
    "languages",
    "about_clinic",
    "referrals",
)

# --- visitor acts (intents) ------------------------------------------------------
VISITOR_ACTS: Tuple[str, ...] = (
    "greet",
    "goodbye",
    "thank",
    "affirm",
    "deny",
    "unsure",
    "start_triage",
    "ask_for_person",
    "request_callback",
    "help_now",
    "pause",
    "ask_if_bot",
    "ask_why",
    "repeat",
    "go_back",
    "restart",
    "stop_messages",
    "delete_my_data",
    "complain",
    "switch_language",
    "medical_advice",
    "out_of_scope",
)


# --- intents that only buttons and the safety screen set --------------------------
ANSWER = "answer"  # a choice of the questionnaire; entities `item` and `value`
CRISIS_CAN_CALL = "crisis_can_call"
CRISIS_CANNOT_CALL = "crisis_cannot_call"
CRISIS_GO_ON = "crisis_go_on"
# What a message is whose words cannot be read, see bot/nlu/legibility.py.
OTHER_SCRIPT = "other_script"  # or another language in Latin letters
ONLY_LINK = "only_link"
SAFETY_INTENTS: Tuple[str, ...] = tuple(f"safety_{tier}" for tier in TIERS[1:])

# --- staff of the console -----------------------------------------------------------
COORDINATOR = "coordinator"
SUPERVISOR = "supervisor"
AUDITOR = "auditor"  # reads the audit log, nothing else
ADMIN = "admin"  # manages users, sees no health information
ROLES: Tuple[str, ...] = (COORDINATOR, SUPERVISOR, AUDITOR, ADMIN)


def faq_intent(topic: str) -> str:
    """The intent that asks for FAQ `topic`."""
    return f"faq_{topic}"


def safety_intent(tier: str) -> str:
    """The intent that the safety screen sets for `tier`, a member of `TIERS` above none."""
    return f"safety_{tier}"


def tier_at_least(tier: str, floor: str) -> bool:
    """Whether `tier` is `floor` or higher; both are members of `TIERS`."""
    return TIERS.index(tier) >= TIERS.index(floor)


def higher_tier(one: str, other: str) -> str:
    """The higher of two tiers."""
    return max(one, other, key=TIERS.index)
