//! Scripted dialogues against the simulator, under a simulated clock.
//!
//! A scenario says who says what, what agents do, how time passes, and what must hold. It runs
//! through real node components, a real host, real transports and the Genesys simulator over
//! loopback sockets; only the clock is not real. Designers test flows with it, the demonstration
//! plays it, and this project proves its features with it.
//!
//! | module | what |
//! |---|---|
//! | `file`, `step` | the format |
//! | `stage` | a simulator and a host on one simulated clock |
//! | `live` | the same on the system's clock, for people to talk to |
//! | `play` | step after step |
//! | `expect` | what must hold |
//! | `preflight`, `provision` | what looking at an account has to find, and provisioning one to do |
//! | `capability` | what each transport carries, as a table |
//! | `webhook` | calls that Genesys might make, or somebody else |
//! | `told` | what happened, as lines for people |

mod apis;
mod capability;
mod expect;
mod file;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
mod live;
mod play;
mod preflight;
mod provision;
mod sample;
mod secrets;
mod stage;
mod step;
mod told;
mod webhook;

pub use capability::matrix;
pub use file::{FileError, Scenario, find, schema};
pub use live::LiveStage;
pub use play::{Failure, Outcome, Report, play, play_in};
pub use secrets::SimulatedSecrets;
pub use stage::{StageError, load_project};
pub use step::{Step, StepKind};
pub use told::{Told, Who};
