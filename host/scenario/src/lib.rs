//! Scripted dialogues against the simulator, under a simulated clock.
//!
//! A scenario says who says what, what agents do, how time passes, and what must hold. It runs
//! through real node components, a real host, real transports and the Genesys simulator over
//! loopback sockets; only the clock is not real. Designers test flows with it, the demonstration
//! plays it, and this project proves its features with it.
//!
//! | module | what |
//! |---|---|
//! | `file` | the format |
//! | `stage` | a simulator and a host on one simulated clock |
//! | `live` | the same on the system's clock, for people to talk to |
//! | `play` | step after step |
//! | `expect` | what must hold |
//! | `told` | what happened, as lines for people |

mod expect;
mod file;
mod live;
mod play;
mod secrets;
mod stage;
mod told;

pub use file::{FileError, Scenario, Step, StepKind, find};
pub use live::LiveStage;
pub use play::{Failure, Outcome, Report, play};
pub use stage::{StageError, load_project};
pub use told::{Told, Who};
