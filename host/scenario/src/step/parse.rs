//! From a step's table to what it means, with what to write instead where it means nothing.

use super::verbs::{VERBS, Verb};
use super::{AdminAct, AgentAct, Limits, Preflight, Provision, StepKind, WebhookCall};
use handoff_engine::diagnostic::{did_you_mean, name_list};
use handoff_engine::project::Span;
use serde_json::{Map, Value};

/// A step, and its limits.
pub(crate) fn parse_step(step: &Value) -> Result<(StepKind, Limits), String> {
    let Value::Object(step) = step else {
        return Err("a step is a table, for example { user = \"hi\" }".to_owned());
    };
    let mut step = step.clone();
    let on = match step.remove("on") {
        Some(transports) => {
            Some(serde_json::from_value(transports).map_err(|error| format!("'on': {error}"))?)
        }
        None => None,
    };
    let within = match step.remove("within") {
        Some(span) => {
            Some(serde_json::from_value(span).map_err(|error| format!("'within': {error}"))?)
        }
        None => None,
    };
    parse_kind(&step).map(|kind| (kind, Limits { on, within }))
}

fn parse_kind(step: &Map<String, Value>) -> Result<StepKind, String> {
    let verbs = || VERBS.iter().map(|verb| verb.name);
    let Some(verb) = VERBS.iter().find(|verb| step.contains_key(verb.name)) else {
        let Some(first) = step.keys().next() else {
            return Err(
                "this step does nothing; write what is done, or what must hold, for example { user = \"hi\" }"
                    .to_owned(),
            );
        };
        let help = did_you_mean(first, verbs())
            .unwrap_or_else(|| format!("a step begins with one of {}", name_list(verbs())));
        return Err(format!("'{first}' is not a step; {help}"));
    };
    let along = || verb.along.iter().map(|along| along.name);
    let stray = step
        .keys()
        .find(|key| key.as_str() != verb.name && !along().any(|name| name == key.as_str()));
    if let Some(stray) = stray {
        let verb_name = verb.name;
        if let Some(help) = did_you_mean(stray, along()) {
            return Err(format!(
                "'{stray}' cannot stand beside '{verb_name}'; {help}"
            ));
        }
        return Err(match verb.along.len() {
            0 => format!("'{stray}' cannot stand beside '{verb_name}'; make it a step of its own"),
            _ => format!(
                "'{stray}' cannot stand beside '{verb_name}'; {} can",
                name_list(along())
            ),
        });
    }
    let words = Words { verb, step };
    match verb.name {
        "user" => parse_user(&words),
        "agent" => parse_agent(&words),
        "advance" => {
            let text: String = words.get("advance")?;
            Span::parse(&text)
                .map(StepKind::Advance)
                .map_err(|error| error.to_string())
        }
        "jump" => {
            let text: String = words.get("jump")?;
            Span::parse(&text)
                .map(StepKind::Jump)
                .map_err(|error| error.to_string())
        }
        "start" => words.flag(StepKind::Start),
        "restart" => words.flag(StepKind::Restart),
        "publish" => Ok(StepKind::Publish {
            project: words.get("publish")?,
            refused: words.maybe("refused-with")?,
        }),
        "fault" => parse_fault(&words),
        "api" => Ok(StepKind::ApiAnswers {
            origin: words.get("api")?,
            status: words.maybe("answers")?.unwrap_or(200),
            body: words.maybe("with")?.unwrap_or_default(),
        }),
        "called" => Ok(StepKind::Called {
            what: words.get("called")?,
            with: words.maybe("with")?,
            headers: words.maybe("headers")?.unwrap_or_default(),
        }),
        "metric" => Ok(StepKind::Metric {
            name: words.get("metric")?,
            labels: words.maybe("labels")?.unwrap_or_default(),
            is: words.get("is")?,
        }),
        "journal-lacks" => Ok(StepKind::JournalLacks(words.get("journal-lacks")?)),
        "provision" => Ok(StepKind::Provision(Provision {
            account: words.get("provision")?,
            mend: words.maybe("mend")?.unwrap_or_default(),
            creates: words.maybe("creates")?.unwrap_or_default(),
            does: words.maybe("does")?.unwrap_or_default(),
            drift: words.maybe("drift")?.unwrap_or_default(),
            by_hand: words.maybe("by-hand")?.unwrap_or_default(),
            mentions: words.maybe("mentions")?.unwrap_or_default(),
        })),
        "admin" => parse_admin(&words),
        "webhook" => Ok(StepKind::Webhook(WebhookCall {
            account: words.get("webhook")?,
            says: words.get("says")?,
            signature: words.get("signature")?,
            answers: words.get("answers")?,
        })),
        "preflight" => parse_preflight(&words),
        "bot" => Ok(StepKind::BotSays(words.get("bot")?)),
        "system" => Ok(StepKind::SystemSays(words.get("system")?)),
        "user-hears" => Ok(StepKind::UserHears {
            text: words.get("user-hears")?,
            from: words.maybe("from")?,
            with: words.maybe("with")?.unwrap_or_default(),
        }),
        "user-sees" => Ok(StepKind::UserSees(words.get("user-sees")?)),
        "signal" => Ok(StepKind::Signal(words.get("signal")?)),
        "notice" => Ok(StepKind::Notice {
            code: words.get("notice")?,
            mentions: words.maybe("mentions")?.unwrap_or_default(),
        }),
        "tally" => Ok(StepKind::Tally(words.get("tally")?)),
        "receipt" => Ok(StepKind::Receipt(words.get("receipt")?)),
        "silence" => words.flag(StepKind::Silence),
        "lasting-ids" => words.flag(StepKind::LastingIds),
        "heard" => Ok(StepKind::Heard(words.get("heard")?)),
        "context" => Ok(StepKind::Context(words.get("context")?)),
        "context-lacks" => Ok(StepKind::ContextLacks(words.get("context-lacks")?)),
        "stack" => Ok(StepKind::Stack(words.get("stack")?)),
        "node" => Ok(StepKind::AtNode(words.get("node")?)),
        "session" => {
            let state: String = words.get("session")?;
            let open = match state.as_str() {
                "open" => true,
                "closed" => false,
                other => return Err(format!("'session' is 'open' or 'closed', not '{other}'")),
            };
            Ok(StepKind::Session {
                open,
                reason: words.maybe("reason")?,
            })
        }
        "handoffs-ended" => Ok(StepKind::HandoffsEnded(words.get("handoffs-ended")?)),
        "conversations" => Ok(StepKind::Conversations(words.get("conversations")?)),
        "requests" => Ok(StepKind::Requests(words.get("requests")?)),
        "over" => Ok(StepKind::Over(words.get("over")?)),
        "queue" => Ok(StepKind::Queue(words.get("queue")?)),
        "identity" => Ok(StepKind::Identity(words.get("identity")?)),
        "identity-lacks" => Ok(StepKind::IdentityLacks(words.get("identity-lacks")?)),
        "conversation" => Ok(StepKind::Conversation(words.get("conversation")?)),
        "refused" => Ok(StepKind::Refused(words.get("refused")?)),
        "end-detail" => Ok(StepKind::EndDetail {
            code: words.get("end-detail")?,
            mentions: words.maybe("mentions")?.unwrap_or_default(),
        }),
        _ => Ok(StepKind::Error {
            code: words.get("error")?,
            mentions: words.maybe("mentions")?.unwrap_or_default(),
        }),
    }
}

fn parse_fault(words: &Words<'_>) -> Result<StepKind, String> {
    let fault: Map<String, Value> = words.get("fault")?;
    if fault.get("fault").is_some_and(|name| name == "latency") {
        return Err(
            "'latency' is for real time: the clock of a scenario stands still while an answer is under \
             way; let answers get lost with 'lose-replies'"
                .to_owned(),
        );
    }
    Ok(StepKind::Fault(fault))
}

fn parse_admin(words: &Words<'_>) -> Result<StepKind, String> {
    let act: String = words.get("admin")?;
    let integration = words.get("integration")?;
    Ok(StepKind::Admin(match act.as_str() {
        "renames" => AdminAct::Rename {
            integration,
            to: words.get("to")?,
        },
        "points" => AdminAct::Point {
            integration,
            to: words.get("to")?,
        },
        "deletes" => AdminAct::Delete { integration },
        other => {
            let acts = name_list(["renames", "points", "deletes"]);
            return Err(format!("'admin' is one of {acts}, not '{other}'"));
        }
    }))
}

fn parse_preflight(words: &Words<'_>) -> Result<StepKind, String> {
    let preflight = Preflight {
        account: words.get("preflight")?,
        finds: words.maybe("finds")?.unwrap_or_default(),
        lacks: words.maybe("lacks")?.unwrap_or_default(),
        mentions: words.maybe("mentions")?.unwrap_or_default(),
        worst: words.maybe("worst")?,
    };
    let grades = ["ok", "hint", "warning", "error"];
    match &preflight.worst {
        Some(worst) if !grades.contains(&worst.as_str()) => {
            Err(format!("'worst' is one of {}", name_list(grades)))
        }
        _ => Ok(StepKind::Preflight(preflight)),
    }
}

fn parse_user(words: &Words<'_>) -> Result<StepKind, String> {
    let silent = words.step["user"] == true;
    if words.step.contains_key("does") {
        return match silent {
            true => Ok(StepKind::UserDoes(words.get("does")?)),
            false => Err("write { user = true, does = \"leave\" }".to_owned()),
        };
    }
    if words.step.contains_key("picks") {
        return match silent {
            true => Ok(StepKind::UserPicks(words.get("picks")?)),
            false => Err("write { user = true, picks = \"Yes\" }".to_owned()),
        };
    }
    if words.step.contains_key("attaches") {
        return Ok(StepKind::UserAttaches {
            text: match silent {
                true => String::new(),
                false => words.get("user")?,
            },
            file: words.get("attaches")?,
            bytes: words.maybe("bytes")?,
        });
    }
    Ok(StepKind::UserSays {
        text: words.get("user")?,
        id: words.maybe("id")?,
    })
}

fn parse_agent(words: &Words<'_>) -> Result<StepKind, String> {
    let agent: String = words.get("agent")?;
    let others: Vec<&str> = words
        .step
        .keys()
        .map(String::as_str)
        .filter(|key| !matches!(*key, "agent" | "text" | "refused"))
        .collect();
    let [what] = others.as_slice() else {
        return Err(
            "an agent does one thing a step, for example { agent = \"kim\", does = \"accept\" }"
                .to_owned(),
        );
    };
    let act = match *what {
        "says" => AgentAct::Say(words.get("says")?),
        "sends" => AgentAct::Send(words.get("sends")?),
        "sends-content" => AgentAct::Offer {
            text: words.maybe("text")?.unwrap_or_default(),
            content: words.get("sends-content")?,
        },
        "transfers-to-queue" => AgentAct::TransferToQueue(words.get(what)?),
        "transfers-to-agent" => AgentAct::TransferToAgent(words.get(what)?),
        "hears" => return Ok(StepKind::AgentHears(agent, words.get("hears")?)),
        "receives" => return Ok(StepKind::AgentReceives(agent, words.get("receives")?)),
        "sees-typing" => {
            return match words.get::<bool>("sees-typing")? {
                true => Ok(StepKind::AgentSeesTyping(agent)),
                false => Err("write { agent = \"kim\", sees-typing = true }".to_owned()),
            };
        }
        "sees" => return Ok(StepKind::AgentSees(agent, words.get("sees")?)),
        "is" => return Ok(StepKind::AgentIs(agent, words.get("is")?)),
        _ => {
            let does: String = words.get("does")?;
            let acts = [
                ("accept", AgentAct::Accept),
                ("decline", AgentAct::Decline),
                ("close", AgentAct::Close),
                ("type", AgentAct::Type),
                ("stop-typing", AgentAct::StopTyping),
                ("finish-after-call-work", AgentAct::FinishAfterCallWork),
                ("go-on-queue", AgentAct::GoOnQueue),
                ("go-off-queue", AgentAct::GoOffQueue),
            ];
            let names: Vec<&str> = acts.iter().map(|(name, _)| *name).collect();
            match acts.into_iter().find(|(name, _)| *name == does) {
                Some((_, act)) => act,
                None => {
                    return Err(format!(
                        "an agent cannot '{does}'; an agent does {}",
                        name_list(names)
                    ));
                }
            }
        }
    };
    match words.maybe::<bool>("refused")? {
        Some(true) => Ok(StepKind::AgentCannot(agent, act)),
        _ => Ok(StepKind::Agent(agent, act)),
    }
}

/// The words of a step.
struct Words<'a> {
    verb: &'static Verb,
    step: &'a Map<String, Value>,
}

impl Words<'_> {
    fn get<T: serde::de::DeserializeOwned>(&self, key: &str) -> Result<T, String> {
        let example = || match self.verb.example_of(key) {
            Some(example) => format!("; write for example {example}"),
            None => String::new(),
        };
        let Some(value) = self.step.get(key) else {
            let verb = self.verb.name;
            return Err(format!("'{verb}' needs '{key}' beside it{}", example()));
        };
        if let Some(takes) = self.verb.takes_instead(key, value) {
            return Err(format!("'{key}' takes {takes}{}", example()));
        }
        serde_json::from_value(value.clone())
            .map_err(|error| format!("'{key}': {error}{}", example()))
    }

    fn maybe<T: serde::de::DeserializeOwned>(&self, key: &str) -> Result<Option<T>, String> {
        if self.step.contains_key(key) {
            return self.get(key).map(Some);
        }
        Ok(None)
    }

    fn flag(&self, kind: StepKind) -> Result<StepKind, String> {
        if self.step[self.verb.name] == true {
            return Ok(kind);
        }
        Err(format!("write {{ {} = true }}", self.verb.name))
    }
}
