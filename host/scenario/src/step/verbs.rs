//! The words of steps: what each takes, what may stand beside it, and how it is written.
//!
//! The schema that editors complete by is made of this table, and so is the message about a word that is
//! none. What a step means is said in `parse`; tests hold the two together.

use handoff_engine::diagnostic::name_list;
use serde_json::{Map, Value, json};

/// A word that a step can begin with.
pub(crate) struct Verb {
    pub(crate) name: &'static str,
    /// What the step does, or what has to hold.
    pub(crate) about: &'static str,
    takes: Takes,
    /// Words that can stand beside it.
    pub(crate) along: &'static [Along],
    /// Steps as they are written. Every word beside the verb is in one of them.
    examples: &'static [&'static str],
}

/// A word beside a verb.
pub(crate) struct Along {
    pub(crate) name: &'static str,
    about: &'static str,
    takes: Takes,
}

/// What stands behind a word.
enum Takes {
    Text,
    True,
    TextOrTrue,
    Whole,
    Number,
    Span,
    Texts,
    Table,
    Tables,
    Anything,
    OneOf(&'static [&'static str]),
}

const fn along(name: &'static str, about: &'static str, takes: Takes) -> Along {
    Along { name, about, takes }
}

const fn verb(
    name: &'static str,
    about: &'static str,
    takes: Takes,
    along: &'static [Along],
    examples: &'static [&'static str],
) -> Verb {
    Verb {
        name,
        about,
        takes,
        along,
        examples,
    }
}

const MENTIONS: Along = along("mentions", "Words that the message holds.", Takes::Texts);

/// The words a step can begin with.
pub(crate) const VERBS: &[Verb] = &[
    verb(
        "user",
        "The user writes, or with 'true' does something else.",
        Takes::TextOrTrue,
        &[
            along(
                "does",
                "What the user does.",
                Takes::OneOf(&["leave", "type", "stop-typing", "receive", "read"]),
            ),
            along(
                "picks",
                "The label of what the last message offers.",
                Takes::Text,
            ),
            along(
                "attaches",
                "The name of a file; its ending says of which kind.",
                Takes::Text,
            ),
            along("bytes", "How long the file is.", Takes::Whole),
            along("id", "The client's own id of the message.", Takes::Text),
        ],
        &[
            r#"{ user = "hi" }"#,
            r#"{ user = "hi", id = "tab-1" }"#,
            r#"{ user = "Look", attaches = "bill.png", bytes = 2000 }"#,
            r#"{ user = true, picks = "Yes" }"#,
            r#"{ user = true, does = "leave" }"#,
        ],
    ),
    verb(
        "agent",
        "An agent does something, has something before them, or is occupied with something.",
        Takes::Text,
        &[
            along(
                "does",
                "What the agent does.",
                Takes::OneOf(&[
                    "accept",
                    "decline",
                    "close",
                    "type",
                    "stop-typing",
                    "finish-after-call-work",
                    "go-on-queue",
                    "go-off-queue",
                ]),
            ),
            along("says", "The agent writes.", Takes::Text),
            along("sends", "The agent sends a file of this name.", Takes::Text),
            along(
                "sends-content",
                "The agent sends structured content, as Genesys writes it.",
                Takes::Tables,
            ),
            along(
                "text",
                "The text that goes with structured content.",
                Takes::Text,
            ),
            along("refused", "The agent's desk refuses it.", Takes::True),
            along("transfers-to-queue", "The queue's exact name.", Takes::Text),
            along("transfers-to-agent", "The other agent's id.", Takes::Text),
            along(
                "hears",
                "A message of the user's. '*' stands for anything.",
                Takes::Text,
            ),
            along("receives", "The name of a file of the user's.", Takes::Text),
            along(
                "sees-typing",
                "The agent has seen the user type.",
                Takes::True,
            ),
            along("sees", "Participant attributes.", Takes::Table),
            along(
                "is",
                "How the agent is occupied.",
                Takes::OneOf(&["alerting", "connected", "after-call-work", "idle"]),
            ),
        ],
        &[
            r#"{ agent = "kim", does = "accept" }"#,
            r#"{ agent = "kim", says = "Hello" }"#,
            r#"{ agent = "kim", sends = "map.png", refused = true }"#,
            r#"{ agent = "kim", text = "Well?", sends-content = [{ contentType = "QuickReply", quickReply = { text = "Yes", payload = "YES" } }] }"#,
            r#"{ agent = "kim", transfers-to-queue = "Billing" }"#,
            r#"{ agent = "kim", transfers-to-agent = "lee" }"#,
            r#"{ agent = "kim", hears = "Hi" }"#,
            r#"{ agent = "kim", receives = "bill.png" }"#,
            r#"{ agent = "kim", sees-typing = true }"#,
            r#"{ agent = "kim", sees = { plan = "gold" } }"#,
            r#"{ agent = "kim", is = "alerting" }"#,
        ],
    ),
    verb(
        "advance",
        "Time passes.",
        Takes::Span,
        &[],
        &[r#"{ advance = "31m" }"#],
    ),
    verb(
        "jump",
        "The clock jumps: what falls due on the way is late.",
        Takes::Span,
        &[],
        &[r#"{ jump = "1h" }"#],
    ),
    verb(
        "restart",
        "The host stops, and another one starts on the same store.",
        Takes::True,
        &[],
        &["{ restart = true }"],
    ),
    verb(
        "start",
        "The user comes again: another session, which all further steps are about.",
        Takes::True,
        &[],
        &["{ start = true }"],
    ),
    verb(
        "publish",
        "Another version of the project, relative to it, is published while the host runs.",
        Takes::Text,
        &[along(
            "refused-with",
            "Codes of the mistakes for which it is refused.",
            Takes::Texts,
        )],
        &[r#"{ publish = "../next", refused-with = ["flow.bad_config"] }"#],
    ),
    verb(
        "fault",
        "Something goes wrong at Genesys: a fault of the simulator.",
        Takes::Table,
        &[],
        &[r#"{ fault = { fault = "expire-tokens" } }"#],
    ),
    verb(
        "api",
        "From now on the API at this origin answers so.",
        Takes::Text,
        &[
            along("answers", "The status; 200 if left out.", Takes::Whole),
            along(
                "with",
                "The body: text, or a table that is sent as JSON.",
                Takes::Anything,
            ),
        ],
        &[r#"{ api = "https://api.example.com", answers = 503, with = "overloaded" }"#],
    ),
    verb(
        "called",
        "The next request that an API got, method and address; 'nothing' if there was none.",
        Takes::Text,
        &[
            along(
                "with",
                "What the body holds: members of its JSON, fields of its form, or a text.",
                Takes::Anything,
            ),
            along("headers", "Headers that it has.", Takes::Table),
        ],
        &[
            r#"{ called = "POST https://api.example.com/mail", with = { to = "ana@*" }, headers = { accept = "*" } }"#,
            r#"{ called = "nothing" }"#,
        ],
    ),
    verb(
        "journal-lacks",
        "Nothing that is kept of the session holds this text.",
        Takes::Text,
        &[],
        &[r#"{ journal-lacks = "secret" }"#],
    ),
    verb(
        "metric",
        "What a metric of the host adds up to.",
        Takes::Text,
        &[
            along(
                "labels",
                "Labels of the samples that are meant.",
                Takes::Table,
            ),
            along("is", "The sum.", Takes::Number),
        ],
        &[
            r#"{ metric = "handoff_handoffs_ended_total", labels = { reason = "AgentLeft" }, is = 1 }"#,
        ],
    ),
    verb(
        "provision",
        "The integrations of this account are provisioned, as by 'handoff provision'.",
        Takes::Text,
        &[
            along("mend", "Drift is mended.", Takes::True),
            along(
                "creates",
                "Names of the integrations that are created.",
                Takes::Texts,
            ),
            along(
                "does",
                "Codes of the other steps that are taken.",
                Takes::Texts,
            ),
            along("drift", "Codes of the drift that is found.", Takes::Texts),
            along(
                "by-hand",
                "Codes of what is left to do by hand.",
                Takes::Texts,
            ),
            along("mentions", "Words of the steps.", Takes::Texts),
        ],
        &[
            r#"{ provision = "genesys", mend = true, creates = ["Acme bridge"], does = ["provision.bind"], drift = ["provision.renamed"], by-hand = ["provision.route"], mentions = ["Acme"] }"#,
        ],
    ),
    verb(
        "admin",
        "An administrator changes an integration at Genesys.",
        Takes::OneOf(&["renames", "points", "deletes"]),
        &[
            along("integration", "Its name.", Takes::Text),
            along(
                "to",
                "Its new name, or the address of its webhook.",
                Takes::Text,
            ),
        ],
        &[r#"{ admin = "renames", integration = "Acme bridge", to = "Bridge" }"#],
    ),
    verb(
        "webhook",
        "Somebody calls the webhook of this account, about the last conversation.",
        Takes::Text,
        &[
            along("says", "The text of the message.", Takes::Text),
            along(
                "signature",
                "How it is signed.",
                Takes::OneOf(&["good", "bad", "of-another-body", "missing"]),
            ),
            along("answers", "The status it is answered.", Takes::Whole),
        ],
        &[r#"{ webhook = "genesys", says = "Hello", signature = "bad", answers = 401 }"#],
    ),
    verb(
        "preflight",
        "This account is looked at, as by 'handoff check --org'.",
        Takes::Text,
        &[
            along("finds", "Codes that are found.", Takes::Texts),
            along("lacks", "Codes that are not found.", Takes::Texts),
            along("mentions", "Words of the findings.", Takes::Texts),
            along(
                "worst",
                "The worst grade.",
                Takes::OneOf(&["ok", "hint", "warning", "error"]),
            ),
        ],
        &[
            r#"{ preflight = "genesys", finds = ["org.queue_ready"], lacks = ["org.no_agent_on_queue"], mentions = ["Billing"], worst = "ok" }"#,
        ],
    ),
    verb(
        "bot",
        "The next message to the user is a bot's. '*' stands for anything.",
        Takes::Text,
        &[],
        &[r#"{ bot = "Hello" }"#],
    ),
    verb(
        "system",
        "The next message to the user is the host's or the platform's.",
        Takes::Text,
        &[],
        &[r#"{ system = "Connecting *" }"#],
    ),
    verb(
        "user-hears",
        "The next message to the user is an agent's.",
        Takes::Text,
        &[
            along("from", "The agent's name.", Takes::Text),
            along(
                "with",
                "What comes with it: 'Attachment map.png', 'QuickReply Yes; No'.",
                Takes::Texts,
            ),
        ],
        &[r#"{ user-hears = "Hello", from = "Kim", with = ["Attachment map.png"] }"#],
    ),
    verb(
        "user-sees",
        "The user sees a sign.",
        Takes::OneOf(&["typing", "stopped-typing", "delivered", "read", "failed"]),
        &[],
        &[r#"{ user-sees = "typing" }"#],
    ),
    verb(
        "signal",
        "The transport told this.",
        Takes::Text,
        &[],
        &[r#"{ signal = "agent-declined" }"#],
    ),
    verb(
        "notice",
        "The transport told the person who can fix it, with this code.",
        Takes::Text,
        &[MENTIONS],
        &[r#"{ notice = "genesys.content_simplified", mentions = ["bill.png"] }"#],
    ),
    verb(
        "tally",
        "At least so many messages came again, out of order, or not at all.",
        Takes::Table,
        &[],
        &["{ tally = { repeats = 1 } }"],
    ),
    verb(
        "receipt",
        "How far the agent's last message got.",
        Takes::Text,
        &[],
        &[r#"{ receipt = "read" }"#],
    ),
    verb(
        "silence",
        "No further message to the user has come.",
        Takes::True,
        &[],
        &["{ silence = true }"],
    ),
    verb(
        "lasting-ids",
        "Every event that the user was shown has an id of its own, and those looked at before have the same still.",
        Takes::True,
        &[],
        &["{ lasting-ids = true }"],
    ),
    verb(
        "heard",
        "These are all messages of the user's in the last conversation, in order.",
        Takes::Texts,
        &[],
        &[r#"{ heard = ["one", "two"] }"#],
    ),
    verb(
        "context",
        "These keys of the flow context have these values.",
        Takes::Table,
        &[],
        &[r#"{ context = { SessionEndReason = "AgentLeft" } }"#],
    ),
    verb(
        "context-lacks",
        "These keys are not in the flow context.",
        Takes::Texts,
        &[],
        &[r#"{ context-lacks = ["LastKnownAgent"] }"#],
    ),
    verb(
        "stack",
        "Names of the session's owners, the one in charge last.",
        Takes::Texts,
        &[],
        &[r#"{ stack = ["Desk", "agent Kim"] }"#],
    ),
    verb(
        "node",
        "The node at which the flow in charge is.",
        Takes::Text,
        &[],
        &[r#"{ node = "ask1" }"#],
    ),
    verb(
        "session",
        "Whether the session goes on.",
        Takes::OneOf(&["open", "closed"]),
        &[along(
            "reason",
            "Why it closed.",
            Takes::OneOf(&["Completed", "AgentLeft", "UserLeft", "Inactivity", "Error"]),
        )],
        &[r#"{ session = "closed", reason = "Completed" }"#],
    ),
    verb(
        "handoffs-ended",
        "How many handoffs of the session have ended.",
        Takes::Whole,
        &[],
        &["{ handoffs-ended = 1 }"],
    ),
    verb(
        "conversations",
        "How many conversations there ever were at Genesys.",
        Takes::Whole,
        &[],
        &["{ conversations = 1 }"],
    ),
    verb(
        "requests",
        "How many network calls were made to Genesys.",
        Takes::Whole,
        &[],
        &["{ requests = 0 }"],
    ),
    verb(
        "over",
        "The transport by which the last conversation came.",
        Takes::OneOf(TRANSPORTS),
        &[],
        &[r#"{ over = "cloud-webchat" }"#],
    ),
    verb(
        "queue",
        "The queue in which the last conversation waits, or last waited.",
        Takes::Text,
        &[],
        &[r#"{ queue = "Billing" }"#],
    ),
    verb(
        "identity",
        "Identity fields that the last conversation was started with.",
        Takes::Table,
        &[],
        &[r#"{ identity = { firstName = "Ana" } }"#],
    ),
    verb(
        "identity-lacks",
        "Identity fields that were not sent.",
        Takes::Texts,
        &[],
        &[r#"{ identity-lacks = ["subject"] }"#],
    ),
    verb(
        "conversation",
        "How the last conversation is at Genesys.",
        Takes::OneOf(&[
            "open",
            "ended-by-agent",
            "ended-by-customer",
            "ended-by-system",
        ]),
        &[],
        &[r#"{ conversation = "open" }"#],
    ),
    verb(
        "refused",
        "What the user did last was refused with this code.",
        Takes::Text,
        &[],
        &[r#"{ refused = "session.closed" }"#],
    ),
    verb(
        "end-detail",
        "The code of how the last handoff ended.",
        Takes::Text,
        &[MENTIONS],
        &[r#"{ end-detail = "transfer.no_agent", mentions = ["accepted"] }"#],
    ),
    verb(
        "error",
        "The code of what went wrong last in a node.",
        Takes::Text,
        &[MENTIONS],
        &[r#"{ error = "transfer.missing_field", mentions = ["lastName"] }"#],
    ),
];

const TRANSPORTS: &[&str] = &[
    "engage-chat-v2",
    "cloud-webchat",
    "cloud-web-messaging",
    "cloud-open-messaging",
];

impl Takes {
    fn schema(&self) -> Value {
        match self {
            Self::Text => json!({ "type": "string" }),
            Self::True => json!({ "const": true }),
            Self::TextOrTrue => json!({ "anyOf": [{ "type": "string" }, { "const": true }] }),
            Self::Whole => json!({ "type": "integer", "minimum": 0 }),
            Self::Number => json!({ "type": "number" }),
            Self::Span => json!({ "type": "string", "examples": ["90s", "31m", "1h 30m"] }),
            Self::Texts => json!({ "type": "array", "items": { "type": "string" } }),
            Self::Table => json!({ "type": "object" }),
            Self::Tables => json!({ "type": "array", "items": { "type": "object" } }),
            Self::Anything => json!({}),
            Self::OneOf(texts) => json!({ "enum": texts }),
        }
    }
}

impl Takes {
    /// Whether a value is of this kind. What a text or table has to hold is not looked at.
    fn fits(&self, value: &Value) -> bool {
        let list_of =
            |fits: fn(&Value) -> bool| value.as_array().is_some_and(|it| it.iter().all(fits));
        match self {
            Self::Text | Self::Span | Self::OneOf(_) => value.is_string(),
            Self::True => value == true,
            Self::TextOrTrue => value.is_string() || value == true,
            Self::Whole => value.is_u64(),
            Self::Number => value.is_number(),
            Self::Texts => list_of(Value::is_string),
            Self::Table => value.is_object(),
            Self::Tables => list_of(Value::is_object),
            Self::Anything => true,
        }
    }

    fn in_words(&self) -> String {
        let words = match self {
            Self::Text => "a text",
            Self::True => "true",
            Self::TextOrTrue => "a text, or true",
            Self::Whole => "a whole number",
            Self::Number => "a number",
            Self::Span => "a span of time",
            Self::Texts => "a list of texts",
            Self::Table => "a table",
            Self::Tables => "a list of tables",
            Self::Anything => "anything",
            Self::OneOf(texts) => return format!("one of {}", name_list(texts.iter().copied())),
        };
        words.to_owned()
    }
}

impl Verb {
    /// A step with this word in it, as it is written.
    pub(crate) fn example_of(&self, word: &str) -> Option<&'static str> {
        let position = self
            .parsed_examples()
            .iter()
            .position(|example| example.get(word).is_some())?;
        self.examples.get(position).copied()
    }

    /// What this word takes, if it does not take this value.
    pub(crate) fn takes_instead(&self, word: &str, value: &Value) -> Option<String> {
        let along = self.along.iter().find(|along| along.name == word);
        let takes = along.map_or(&self.takes, |along| &along.takes);
        (!takes.fits(value)).then(|| takes.in_words())
    }

    fn schema(&self) -> Value {
        let described = |takes: &Takes, about: &str| {
            let mut schema = takes.schema();
            schema["description"] = about.into();
            schema
        };
        let mut properties = Map::new();
        properties.insert(self.name.to_owned(), described(&self.takes, self.about));
        for along in self.along {
            let schema = described(&along.takes, along.about);
            properties.insert(along.name.to_owned(), schema);
        }
        let on = json!({
            "description": "The transports that the step is for; all if left out.",
            "type": "array", "items": { "enum": TRANSPORTS },
        });
        properties.insert("on".to_owned(), on);
        let within = described(
            &Takes::Span,
            "How long, in simulated time, it may take to hold.",
        );
        properties.insert("within".to_owned(), within);
        json!({
            "type": "object", "title": self.name, "description": self.about,
            "required": [self.name], "properties": properties, "additionalProperties": false,
            "examples": self.parsed_examples(),
        })
    }

    fn parsed_examples(&self) -> Vec<Value> {
        let read = |text: &&str| {
            let table: toml::Table = format!("step = {text}").parse().ok()?;
            serde_json::to_value(&table["step"]).ok()
        };
        self.examples.iter().filter_map(read).collect()
    }
}

/// The JSON Schema of a step.
pub(crate) fn schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    let steps: Vec<Value> = VERBS.iter().map(Verb::schema).collect();
    schemars::json_schema!({ "type": "array", "items": { "anyOf": steps } })
}

#[cfg(test)]
mod tests {
    use super::super::parse_step;
    use super::*;
    use handoff_engine::handoff::TransportKind;
    use std::collections::BTreeSet;

    #[test]
    fn every_example_is_a_step_and_every_word_is_in_one() {
        for verb in VERBS {
            let examples = verb.parsed_examples();
            assert_eq!(
                examples.len(),
                verb.examples.len(),
                "{} is no TOML",
                verb.name
            );
            let mut seen = BTreeSet::new();
            for example in &examples {
                if let Err(error) = parse_step(example) {
                    panic!("{example}: {error}");
                }
                seen.extend(example.as_object().into_iter().flat_map(Map::keys).cloned());
            }
            let words = verb.along.iter().map(|along| along.name).chain([verb.name]);
            for word in words {
                assert!(
                    seen.contains(word),
                    "no example of '{}' has '{word}'",
                    verb.name
                );
            }
        }
    }

    #[test]
    fn every_text_that_the_schema_offers_is_taken() {
        for verb in VERBS {
            let words = verb.along.iter().map(|along| (along.name, &along.takes));
            for (word, takes) in words.chain([(verb.name, &verb.takes)]) {
                let Takes::OneOf(texts) = takes else {
                    continue;
                };
                let examples = verb.parsed_examples();
                let Some(example) = examples.iter().find(|it| it.get(word).is_some()) else {
                    panic!("no example of '{}' has '{word}'", verb.name);
                };
                for text in *texts {
                    let mut step = example.clone();
                    step[word] = (*text).into();
                    if let Err(error) = parse_step(&step) {
                        panic!("{step}: {error}");
                    }
                }
            }
        }
    }

    #[test]
    fn the_transports_are_those_of_the_engine() {
        let names: Vec<String> = TransportKind::ALL.iter().map(ToString::to_string).collect();
        assert_eq!(names, TRANSPORTS);
    }

    #[test]
    fn the_page_about_scenarios_shows_every_word() {
        let page = include_str!("../../../../docs/scenarios.md");
        for verb in VERBS {
            assert!(
                page.contains(&format!("{{ {} =", verb.name)),
                "docs/scenarios.md does not show '{}'",
                verb.name
            );
        }
    }
}
