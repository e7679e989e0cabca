//! An API that answers what it is told to, and keeps what it was asked.

use async_trait::async_trait;
use handoff_engine::egress::{CallError, Egress, HttpRequest, HttpResponse};
use std::sync::{Arc, Mutex};

/// Answers every request alike.
#[derive(Debug)]
pub(crate) struct Outside {
    answer: Result<HttpResponse, CallError>,
    requests: Mutex<Vec<HttpRequest>>,
}

impl Outside {
    pub(crate) fn answering(status: u16, body: &str) -> Arc<Self> {
        Self::with(Ok(HttpResponse {
            status,
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: body.as_bytes().to_vec().into(),
        }))
    }

    pub(crate) fn with(answer: Result<HttpResponse, CallError>) -> Arc<Self> {
        Arc::new(Self {
            answer,
            requests: Mutex::default(),
        })
    }

    pub(crate) fn requests(&self) -> Vec<HttpRequest> {
        self.requests.lock().expect("no test panicked").clone()
    }
}

#[async_trait]
impl Egress for Outside {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, CallError> {
        self.requests
            .lock()
            .expect("no test panicked")
            .push(request);
        self.answer.clone()
    }
}
