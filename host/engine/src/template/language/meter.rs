//! What a template may cost.

/// Why a template does not compile or does not render.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::template) enum Trouble {
    /// It is not written correctly.
    Syntax(String),
    /// It names a filter, test or function that does not exist.
    Unknown {
        /// Which of them.
        kind: &'static str,
        /// Its name.
        name: String,
    },
    /// It uses something that is not defined.
    Undefined,
    /// Its budget is used up.
    Exhausted,
    /// A value that it builds is too large or too deep.
    TooLarge(&'static str),
    /// An operation does not work on these values.
    Failed(String),
}

impl Trouble {
    pub(super) fn failed(message: impl Into<String>) -> Self {
        Self::Failed(message.into())
    }
}

/// The rest of a budget, in units of about one byte built or compared.
#[derive(Debug)]
pub(in crate::template) struct Meter {
    left: usize,
}

impl Meter {
    pub(in crate::template) fn new(budget: usize) -> Self {
        Self { left: budget }
    }

    /// Pays before the work is done.
    pub(super) fn pay(&mut self, cost: usize) -> Result<(), Trouble> {
        self.left = self.left.checked_sub(cost).ok_or(Trouble::Exhausted)?;
        Ok(())
    }

    /// Pays for `count` things of `each`.
    pub(super) fn pay_each(&mut self, count: usize, each: usize) -> Result<(), Trouble> {
        self.pay(count.saturating_mul(each))
    }
}
