//! Queues that flows name: visible, with members, and with somebody on queue.

use super::finding::{Finding, foretold};
use super::permissions::{Permission, Tried};
use crate::platform::{Platform, PlatformError, Queue, QueueError};
use std::collections::BTreeMap;

const VIEW: Permission = Permission::needed("routing:queue:view", "find queues by their names");
const OBSERVE: Permission = Permission::useful(
    "analytics:queueObservation:view",
    "see whether agents are on queue",
);

/// What there was to see of the queues.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) visible: Result<(), PlatformError>,
    pub(super) queues: Vec<(String, Result<Queue, QueueError>)>,
    /// Agents on queue, by the queue's id.
    pub(super) on_queue: Result<BTreeMap<String, u32>, PlatformError>,
}

pub(super) async fn look(platform: &Platform, names: &[String]) -> Seen {
    let visible = platform.visible_queues().await.map(drop);
    let mut queues = Vec::new();
    if visible.is_ok() {
        for name in names {
            queues.push((name.clone(), platform.queue(name).await));
        }
    }
    let ids = queues.iter().filter_map(|(_, seen)| seen.as_ref().ok());
    let mut ids: Vec<String> = ids.map(|queue| queue.id.clone()).collect();
    if ids.is_empty() {
        // The permission is tried all the same.
        ids.push(uuid::Uuid::new_v4().to_string());
    }
    let on_queue = count(platform, ids).await;
    Seen {
        visible,
        queues,
        on_queue,
    }
}

async fn count(
    platform: &Platform,
    ids: Vec<String>,
) -> Result<BTreeMap<String, u32>, PlatformError> {
    let mut counts = BTreeMap::new();
    for id in ids {
        let on_queue = platform.agents_on_queue(&id).await?;
        counts.insert(id, on_queue);
    }
    Ok(counts)
}

impl Seen {
    pub(super) fn tried(&self) -> [Tried; 2] {
        [
            Tried::new(VIEW, &self.visible),
            Tried::new(OBSERVE, &self.on_queue),
        ]
    }

    pub(super) fn judge(&self) -> Vec<Finding> {
        if self.visible.is_err() {
            return Vec::new();
        }
        if self.queues.is_empty() {
            return vec![Finding::hint(
                "org.no_queue_named",
                "No flow names a queue for this account as it stands, so none was looked at: the name is \
                 found when the flow runs, or Architect chooses the queue.",
            )];
        }
        let of_each = |(name, seen): &(String, Result<Queue, QueueError>)| {
            match seen {
            Ok(queue) => self.of_queue(queue),
            Err(QueueError::Platform(error)) => Finding::warning(
                "org.not_looked_at",
                format!("Queue '{name}' was not looked at: {error}"),
            ),
            Err(error) => Finding::error(foretold(error.code()), error.to_string()).help(
                "in Genesys, see Admin, Contact Center, Queues for the exact name and the division, and \
                 Admin, Integrations, OAuth, the client, Roles for the client's divisions",
            ),
        }
        };
        self.queues.iter().map(of_each).collect()
    }

    fn of_queue(&self, queue: &Queue) -> Finding {
        let name = &queue.name;
        if queue.member_count == Some(0) {
            return Finding::error(
                "org.queue_without_members",
                format!("Queue '{name}' has no members: whoever is sent there waits for ever."),
            )
            .help("add agents under Admin, Contact Center, Queues, the queue, Members");
        }
        let members = match queue.member_count {
            Some(1) => "1 member".to_owned(),
            Some(count) => format!("{count} members"),
            None => "members that are not told".to_owned(),
        };
        let division = queue.division.as_ref().and_then(|it| it.name.as_deref());
        let division = division.map_or_else(String::new, |it| format!(" (division {it})"));
        let Ok(on_queue) = &self.on_queue else {
            let sentence = format!("Queue '{name}'{division} is visible and has {members}.");
            return Finding::ok("org.queue_visible", sentence);
        };
        match on_queue.get(&queue.id).copied().unwrap_or_default() {
            0 => Finding::warning(
                "org.no_agent_on_queue",
                format!("Nobody is on queue in '{name}'{division}, which has {members}: a handoff would wait."),
            )
            .help("have an agent who is a member of the queue switch to 'On Queue' in Genesys"),
            count => Finding::ok(
                "org.queue_ready",
                format!("Queue '{name}'{division} is visible and has {members}, {count} on queue."),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::Correlation;

    fn seen(member_count: Option<u64>, on_queue: Result<u32, ()>) -> Finding {
        let queue = Queue {
            id: "q".to_owned(),
            name: "Support".to_owned(),
            member_count,
            division: None,
        };
        let refused = PlatformError::MissingPermission {
            doing: "look",
            permissions: OBSERVE.name.to_owned(),
            correlation: Correlation::default(),
        };
        let seen = Seen {
            visible: Ok(()),
            queues: vec![("Support".to_owned(), Ok(queue))],
            on_queue: on_queue
                .map(|count| BTreeMap::from([("q".to_owned(), count)]))
                .map_err(|()| refused),
        };
        seen.judge().remove(0)
    }

    #[test]
    fn a_queue_needs_members_and_one_of_them_on_queue() {
        assert_eq!(seen(Some(0), Ok(0)).code, "org.queue_without_members");
        assert_eq!(seen(Some(2), Ok(0)).code, "org.no_agent_on_queue");
        assert_eq!(seen(Some(2), Ok(1)).code, "org.queue_ready");
        assert_eq!(seen(None, Ok(1)).code, "org.queue_ready");
    }

    #[test]
    fn without_the_right_to_see_agents_nothing_is_said_of_them() {
        assert_eq!(seen(Some(2), Err(())).code, "org.queue_visible");
    }
}
