//! The `checkAvailability` node: whether a human can be offered, before one is.

mod config;
mod hours;
#[cfg(test)]
mod tests;

pub use config::Config;

use config::WhenUnknown;
use handoff_node::{
    Availability, Capability, Category, Context, Descriptor, Fault, Key, Level, Node, NotTold,
    Outcome, Port, PortKind, Problem, Trigger,
};
use hours::{Now, Opening};
use serde::Serialize;

/// Checks whether agents are available.
#[derive(Debug)]
pub struct CheckAvailability;

const AVAILABLE: Port = Port::success("available", "Available");
const UNAVAILABLE: Port = Port {
    name: "unavailable",
    label: "Unavailable",
    kind: PortKind::Success,
};

/// What is kept of it. Reasons are stable.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Found {
    available: bool,
    reason: Option<&'static str>,
    #[serde(flatten)]
    agents: Availability,
    opens: Option<Opening>,
    /// Why nothing is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

impl Node for CheckAvailability {
    type Config = Config;
    type State = ();

    fn descriptor() -> Descriptor {
        Descriptor {
            type_name: "checkAvailability",
            version: env!("CARGO_PKG_VERSION"),
            label: "Check availability",
            summary: "Checks whether agents can take a conversation now.",
            help: include_str!("../help.md"),
            category: Category::Handoff,
            icon: include_str!("../icon.svg"),
            ports: &[AVAILABLE, UNAVAILABLE, Port::ERROR],
            reads: &[],
            writes: &[Key::Config("/storeIn")],
            capabilities: &[
                Capability::Context,
                Capability::Log,
                Capability::Availability,
            ],
            examples: include_str!("../examples.json"),
        }
    }

    fn validate(config: &Config) -> Vec<Problem> {
        let hours = config.business_hours.as_ref();
        hours
            .map(hours::BusinessHours::problems)
            .unwrap_or_default()
    }

    fn step(
        context: &mut impl Context,
        config: Config,
        trigger: Trigger<()>,
    ) -> Result<Outcome, Fault> {
        let Trigger::Entered = trigger else {
            return Err(trigger.unexpected());
        };
        let found = match closed(context, &config)? {
            Some(found) => found,
            None => ask(context, &config)?,
        };
        let port = if found.available {
            AVAILABLE
        } else {
            UNAVAILABLE
        };
        let found = serde_json::to_value(&found).unwrap_or_default();
        context.set(&config.store_in, &found)?;
        Ok(Outcome::Leave(port))
    }
}

/// Outside of business hours nobody is asked.
fn closed(context: &impl Context, config: &Config) -> Result<Option<Found>, Fault> {
    let Some(hours) = &config.business_hours else {
        return Ok(None);
    };
    let hours = hours.read().map_err(|bad| {
        let bad: Vec<String> = bad
            .into_iter()
            .map(|bad| format!("businessHours{}: {}", bad.path, bad.message))
            .collect();
        Fault::invalid_config("check_availability.bad_hours", bad.join(" "))
    })?;
    Ok(match hours.at(context.visit().now) {
        Now::Open => None,
        Now::Closed { holiday, opens } => Some(Found {
            reason: Some(if holiday { "holiday" } else { "closed" }),
            opens,
            ..Found::default()
        }),
    })
}

fn ask(context: &mut impl Context, config: &Config) -> Result<Found, Fault> {
    let told = context.availability(config.account.as_deref(), config.queue.as_deref());
    match told {
        Ok(agents) => Ok(judge(config, agents)),
        Err(NotTold { code, message }) if is_mistake(&code) => Err(Fault::permanent(code, message)),
        Err(NotTold { code, message }) if code == "availability.account_off" => Ok(Found {
            reason: Some("account_off"),
            detail: Some(message),
            ..Found::default()
        }),
        Err(NotTold { message, .. }) => {
            let message = format!("it is not known whether agents are there: {message}");
            context.log(Level::Warn, &message);
            Ok(Found {
                available: config.when_unknown == WhenUnknown::Available,
                reason: Some("unknown"),
                detail: Some(message),
                ..Found::default()
            })
        }
    }
}

/// What the flow or the project has wrong is not taken for an absence of agents.
fn is_mistake(code: &str) -> bool {
    code.starts_with("genesys.queue_") || code.starts_with("transfer.")
}

fn judge(config: &Config, agents: Availability) -> Found {
    let over = |value: Option<u32>, most: Option<u32>| {
        value.zip(most).is_some_and(|(value, most)| value > most)
    };
    let wait = agents.estimated_wait_seconds;
    let most_wait = config
        .max_wait_minutes
        .map(|minutes| u64::from(minutes) * 60);
    let reason = if agents.on_queue == Some(0) {
        Some("no_agents_on_queue")
    } else if config.idle_agents_only && agents.idle == Some(0) {
        Some("all_agents_busy")
    } else if over(agents.waiting, config.max_waiting) {
        Some("too_many_waiting")
    } else if wait.zip(most_wait).is_some_and(|(wait, most)| wait > most) {
        Some("wait_too_long")
    } else {
        None
    };
    Found {
        available: reason.is_none(),
        reason,
        agents,
        ..Found::default()
    }
}

handoff_node::export!(CheckAvailability);
