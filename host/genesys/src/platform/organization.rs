//! The organisation behind a client's credentials.

use super::call::Platform;
use super::error::PlatformError;
use serde::Deserialize;

/// An organisation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub(crate) struct Organization {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) name: String,
}

impl Platform {
    /// The organisation. Every client may ask, so this is how credentials are tried.
    pub(crate) async fn organization(&self) -> Result<Organization, PlatformError> {
        let path = "/api/v2/organizations/me".to_owned();
        self.get(path, &[], "name its organisation", "no permission")
            .await
    }
}
