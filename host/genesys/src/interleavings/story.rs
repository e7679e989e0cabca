//! What truly happens on the agent side, and what must be told of it.

use handoff_engine::handoff::SessionEndReason;
use handoff_engine::time::Timestamp;

/// One thing that happens. Agents are told apart by their names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// It rings at an agent's desk.
    Rings(&'static str),
    /// An agent declines, or lets it ring out.
    Declines(&'static str),
    Answers(&'static str),
    Says(&'static str, &'static str),
    /// The user says something.
    UserSays(&'static str),
    /// Back to a queue.
    PassesToQueue(&'static str),
    /// On to another agent, where it rings.
    PassesTo(&'static str, &'static str),
    /// An agent is done with writing up.
    WroteUp(&'static str),
    Closes(&'static str),
    /// The customer's part ends from the customer's side, not by our doing.
    CustomerGoes,
    /// The platform ends it: a timeout, or an administrator.
    TimesOut,
    /// The user leaves.
    Leaves,
}

/// A sequence of acts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Story {
    /// A sentence.
    pub(crate) name: &'static str,
    pub(crate) acts: &'static [Act],
}

/// What is true so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Truth {
    /// Who answered, in order.
    pub(crate) answered: Vec<&'static str>,
    /// Who declined, or was still ringing at the end.
    pub(crate) declined: Vec<&'static str>,
    /// Who passed the conversation on.
    pub(crate) passed_on: Vec<&'static str>,
    /// Who said what, in order.
    pub(crate) said: Vec<(&'static str, &'static str)>,
    pub(crate) user_said: Vec<&'static str>,
    pub(crate) ended: Option<Timestamp>,
    /// The reasons that are right; where two sides end it at once, each is.
    pub(crate) reasons: Vec<SessionEndReason>,
    /// Whether the user left, so that what was under way from agents need not be told any more.
    pub(crate) left: bool,
}

impl Truth {
    pub(crate) fn happens(&mut self, act: Act, now: Timestamp) {
        match act {
            Act::Rings(_) | Act::WroteUp(_) => {}
            Act::Declines(agent) => self.declined.push(agent),
            Act::Answers(agent) => self.answered.push(agent),
            Act::Says(agent, text) => self.said.push((agent, text)),
            Act::UserSays(text) => self.user_said.push(text),
            Act::PassesToQueue(agent) | Act::PassesTo(agent, _) => self.passed_on.push(agent),
            Act::Closes(_) => self.ends(SessionEndReason::AgentLeft, now),
            Act::CustomerGoes => self.ends(SessionEndReason::UserLeft, now),
            Act::TimesOut if self.answered.is_empty() => self.ends(SessionEndReason::Error, now),
            Act::TimesOut => self.ends(SessionEndReason::AgentLeft, now),
            Act::Leaves => {
                self.left = true;
                self.ends(SessionEndReason::UserLeft, now);
            }
        }
    }

    fn ends(&mut self, reason: SessionEndReason, now: Timestamp) {
        self.ended.get_or_insert(now);
        self.reasons.push(reason);
    }
}

use Act::{
    Answers, Closes, CustomerGoes, Declines, Leaves, PassesTo, PassesToQueue, Rings, Says,
    TimesOut, UserSays, WroteUp,
};

pub(crate) const CLOSE: Story = Story {
    name: "an agent answers, says something and closes",
    acts: &[
        Rings("Kim"),
        Answers("Kim"),
        Says("Kim", "Hello"),
        Closes("Kim"),
        WroteUp("Kim"),
    ],
};

pub(crate) const DECLINE: Story = Story {
    name: "one agent declines, another one answers and closes",
    acts: &[
        Rings("Kim"),
        Declines("Kim"),
        Rings("Lee"),
        Answers("Lee"),
        Closes("Lee"),
    ],
};

pub(crate) const TO_A_QUEUE: Story = Story {
    name: "an agent passes it to a queue, and another one answers, says something and closes",
    acts: &[
        Rings("Kim"),
        Answers("Kim"),
        Says("Kim", "One moment"),
        PassesToQueue("Kim"),
        Rings("Max"),
        WroteUp("Kim"),
        Answers("Max"),
        Says("Max", "Max here"),
        Closes("Max"),
        WroteUp("Max"),
    ],
};

pub(crate) const TO_AN_AGENT: Story = Story {
    name: "an agent passes it to another one, who answers and closes",
    acts: &[
        Rings("Kim"),
        Answers("Kim"),
        PassesTo("Kim", "Lee"),
        Answers("Lee"),
        Closes("Lee"),
    ],
};

pub(crate) const EVERYTHING: Story = Story {
    name: "a decline, an answer, a transfer to a queue, one to an agent, and a close",
    acts: &[
        Rings("Kim"),
        Declines("Kim"),
        Rings("Lee"),
        Answers("Lee"),
        Says("Lee", "Lee here"),
        UserSays("Hi Lee"),
        PassesToQueue("Lee"),
        WroteUp("Lee"),
        Rings("Max"),
        Answers("Max"),
        Says("Max", "Max here"),
        PassesTo("Max", "Zoe"),
        Answers("Zoe"),
        Says("Zoe", "Zoe here"),
        Says("Zoe", "Goodbye"),
        Closes("Zoe"),
        WroteUp("Zoe"),
    ],
};

pub(crate) const NOBODY: Story = Story {
    name: "every agent declines, and the platform gives up",
    acts: &[
        Rings("Kim"),
        Declines("Kim"),
        Rings("Lee"),
        Declines("Lee"),
        TimesOut,
    ],
};

pub(crate) const TIMEOUT: Story = Story {
    name: "the platform ends it while an agent is there",
    acts: &[Rings("Kim"), Answers("Kim"), Says("Kim", "Hello"), TimesOut],
};

pub(crate) const CUSTOMER_GOES: Story = Story {
    name: "the customer's part ends from the customer's side",
    acts: &[
        Rings("Kim"),
        Answers("Kim"),
        Says("Kim", "Hello"),
        CustomerGoes,
        WroteUp("Kim"),
    ],
};

pub(crate) const LEAVES: Story = Story {
    name: "the user says something and leaves",
    acts: &[
        Rings("Kim"),
        Answers("Kim"),
        UserSays("Thank you"),
        Leaves,
        WroteUp("Kim"),
    ],
};

pub(crate) const LEAVES_THE_QUEUE: Story = Story {
    name: "the user leaves while it rings",
    acts: &[Rings("Kim"), Leaves],
};

/// C8 of the complaints: everything in the same moment.
pub(crate) const BOTH_CLOSE: Story = Story {
    name: "the agent writes and closes while the user writes and leaves",
    acts: &[
        Rings("Kim"),
        Answers("Kim"),
        Says("Kim", "Goodbye"),
        UserSays("Thank you"),
        Closes("Kim"),
        Leaves,
    ],
};
