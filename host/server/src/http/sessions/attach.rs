//! Taking in a file of the user's.

use crate::http::access::Visit;
use crate::http::api::Api;
use crate::http::body::check_length;
use crate::http::guard::Origin;
use crate::http::limits::{Limits, Upload, within};
use crate::http::problem::{ApiError, Problem};
use crate::http::words::AttachmentJson;
use crate::media::MAX_FILE;
use crate::sessions::InputError;
use axum::Extension;
use axum::Json;
use axum::extract::multipart::{Field, MultipartError, MultipartRejection};
use axum::extract::{DefaultBodyLimit, Multipart, State};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::from_fn;
use bytes::BytesMut;
use handoff_genesys::File;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Room for the form around a file, bytes.
const FORM: usize = 16 << 10;

/// The longest file name, bytes.
const LONGEST_NAME: usize = 255;

pub(super) fn routes(limits: &Limits) -> OpenApiRouter<Api> {
    let time = limits.upload_time;
    let limit = usize::try_from(MAX_FILE).unwrap_or(usize::MAX);
    OpenApiRouter::new()
        .routes(routes!(attach))
        .layer(DefaultBodyLimit::max(limit.saturating_add(FORM)))
        .layer(from_fn(move |request, next| within(time, request, next)))
}

/// A form with a file.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it is there to be described")]
struct FileForm {
    /// The file, with its name and media type.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
}

/// Takes in a file, for a message to name. Files are at most 25 MiB large.
#[utoipa::path(
    post,
    path = "/v1/sessions/{id}/attachments",
    tag = "sessions",
    params(("id" = String, Path, description = "The session.")),
    request_body(content = inline(FileForm), content_type = "multipart/form-data"),
    security(("session" = [])),
    responses(
        (status = 201, description = "The file; name it in a message.", body = AttachmentJson),
        (status = 400, description = "The form cannot be read.", body = Problem),
        (status = 401, description = "No token.", body = Problem),
        (status = 403, description = "A wrong token.", body = Problem),
        (status = 404, description = "No such session.", body = Problem),
        (status = 413, description = "The file is too large.", body = Problem),
        (status = 415, description = "This is no form.", body = Problem),
        (status = 422, description = "The form holds no file.", body = Problem),
        (status = 429, description = "Too much at once; wait for as long as Retry-After says.", body = Problem),
        (status = 503, description = "No files can be kept at the moment, or not by this host.", body = Problem),
    ),
)]
async fn attach(
    State(api): State<Api>,
    Visit { session, .. }: Visit,
    Extension(origin): Extension<Origin>,
    headers: HeaderMap,
    form: Result<Multipart, MultipartRejection>,
) -> Result<(StatusCode, Json<AttachmentJson>), ApiError> {
    check_length(&headers, MAX_FILE + FORM as u64)?;
    api.limiter().input(&session)?;
    let mut upload = api.limiter().upload(&session, origin.client)?;
    let stored = api.host().session(&session).await?;
    stored.ok_or(InputError::UnknownSession(session))?;
    let form = form.map_err(|_| ApiError::WrongMediaType("multipart/form-data"))?;
    let file = file(form, &mut upload).await?;
    let kept = api.host().keep_file(file).await?;
    Ok((StatusCode::CREATED, Json(kept.into())))
}

/// The first file of a form.
async fn file(mut form: Multipart, upload: &mut Upload<'_>) -> Result<File, ApiError> {
    loop {
        let next = upload.wait(form.next_field()).await?;
        let Some(field) = next.map_err(|it| unreadable(&it))? else {
            return Err(ApiError::NoFile);
        };
        let Some(name) = field.file_name().map(str::to_owned) else {
            continue;
        };
        let guessed = mime_guess::from_path(&name).first_or_octet_stream();
        let mime = field.content_type().unwrap_or(guessed.essence_str());
        return Ok(File {
            mime: mime.to_owned(),
            name: only_name(&name),
            bytes: bytes(field, upload).await?,
        });
    }
}

/// Reads a field, and no more of it than a file may be.
async fn bytes(mut field: Field<'_>, upload: &mut Upload<'_>) -> Result<bytes::Bytes, ApiError> {
    let mut bytes = BytesMut::new();
    loop {
        let next = upload.wait(field.chunk()).await?;
        let Some(chunk) = next.map_err(|it| unreadable(&it))? else {
            return Ok(bytes.freeze());
        };
        if (bytes.len() + chunk.len()) as u64 > MAX_FILE {
            return Err(ApiError::TooLarge { limit: MAX_FILE });
        }
        upload.take(chunk.len()).await?;
        bytes.extend_from_slice(&chunk);
    }
}

/// A file's name without the folders some browsers send, without what is not seen or turns the rest
/// around, and not longer than a disk takes.
fn only_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let unseen = |letter: char| {
        let format = matches!(
            letter,
            '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}'
        );
        letter.is_control() || format
    };
    let kept = last.chars().filter(|letter| !unseen(*letter));
    let mut name = String::new();
    for letter in kept {
        if name.len() + letter.len_utf8() > LONGEST_NAME {
            break;
        }
        name.push(letter);
    }
    if name.is_empty() {
        "file".to_owned()
    } else {
        name
    }
}

fn unreadable(error: &MultipartError) -> ApiError {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        ApiError::TooLarge { limit: MAX_FILE }
    } else {
        ApiError::Malformed(error.body_text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_files_name_is_what_stands_last_and_not_too_long() {
        assert_eq!(only_name("C:\\fakepath\\a b.png"), "a b.png");
        assert_eq!(only_name("../../etc/passwd"), "passwd");
        assert_eq!(only_name("a\r\nb"), "ab");
        assert_eq!(only_name("/"), "file");
        assert_eq!(only_name("annex\u{202e}gpj.exe"), "annexgpj.exe");
        assert_eq!(only_name("\u{feff}\u{200b}"), "file");
        assert_eq!(only_name(&"é".repeat(200)).len(), 254);
    }
}
