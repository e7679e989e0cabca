//! A shelf of files with an address for each, from which Genesys can fetch them.

use async_trait::async_trait;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderName, StatusCode};
use axum::routing::get;
use handoff_genesys::{File, Media, MediaError};
use std::sync::{Arc, Mutex};

#[derive(Clone, Debug)]
pub(crate) struct Shelf {
    files: Arc<Mutex<Vec<File>>>,
    address: String,
}

impl Shelf {
    pub(crate) async fn open() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let shelf = Self {
            files: Arc::default(),
            address: format!("http://{}/files/", listener.local_addr().unwrap()),
        };
        let app = Router::new()
            .route("/files/{number}", get(fetch))
            .with_state(shelf.clone());
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        shelf
    }

    pub(crate) fn put(&self, file: File) -> String {
        let mut files = self.files.lock().unwrap();
        files.push(file);
        format!("{}{}", self.address, files.len() - 1)
    }

    pub(crate) fn at(&self, url: &str) -> Option<File> {
        let number: usize = url.strip_prefix(&self.address)?.parse().ok()?;
        self.files.lock().unwrap().get(number).cloned()
    }
}

#[async_trait]
impl Media for Shelf {
    async fn keep(&self, file: File) -> Result<String, MediaError> {
        Ok(self.put(file))
    }

    async fn read(&self, url: &str) -> Result<File, MediaError> {
        let url = url.to_owned();
        self.at(&url).ok_or(MediaError::Unknown { url })
    }
}

type Served = ([(HeaderName, String); 1], Vec<u8>);

async fn fetch(
    State(shelf): State<Shelf>,
    Path(number): Path<usize>,
) -> Result<Served, StatusCode> {
    let found = shelf.files.lock().unwrap().get(number).cloned();
    let file = found.ok_or(StatusCode::NOT_FOUND)?;
    Ok(([(CONTENT_TYPE, file.mime)], file.bytes.to_vec()))
}
