//! What comes back for a request, read as the clients of the HTTP interfaces read it.

use super::script::Reply;
use crate::platform::{Correlation, PlatformError};
use handoff_engine::time::Millis;
use serde::de::DeserializeOwned;

const WHY: &str = "the network is down";

impl Reply {
    /// As an answer of the Platform API: its body, or why there is none.
    pub(crate) fn of_the_platform(&self) -> Result<&[u8], PlatformError> {
        let why = WHY.to_owned();
        match self {
            Self::Http { status, body, .. } if (200..300).contains(status) => Ok(body.as_bytes()),
            Self::Http {
                status,
                retry_after,
                body,
            } => Err(PlatformError::refusal(
                "do this",
                "some:permission:view",
                *status,
                retry_after.map(Millis::from_secs),
                Correlation::default(),
                body.as_bytes(),
            )),
            Self::NotSent => Err(PlatformError::NotSent { why }),
            Self::Lost => Err(PlatformError::Broken { why }),
        }
    }

    /// As an answer of the Platform API that is read as a type.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, PlatformError> {
        let body = self.of_the_platform()?;
        serde_json::from_slice(body).map_err(|error| PlatformError::Unreadable {
            doing: "do this",
            why: error.to_string(),
            correlation: Correlation::default(),
        })
    }
}
