//! Files for a user to send.

use handoff_genesys::File;

/// One red pixel.
const PNG: &[u8] = &[
    0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0x0d, b'I', b'H', b'D', b'R', 0, 0, 0,
    1, 0, 0, 0, 1, 8, 2, 0, 0, 0, 0x90, 0x77, 0x53, 0xde, 0, 0, 0, 0x0c, b'I', b'D', b'A', b'T',
    0x08, 0xd7, 0x63, 0xf8, 0xcf, 0xc0, 0, 0, 3, 1, 1, 0, 0x18, 0xdd, 0x8d, 0xb0, 0, 0, 0, 0, b'I',
    b'E', b'N', b'D', 0xae, 0x42, 0x60, 0x82,
];

const PDF: &[u8] = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n";

/// A small file of the kind its name says, or one that is as long as asked for.
pub(crate) fn file(name: &str, bytes: Option<u64>) -> File {
    let mime = mime_guess::from_path(name).first_or_octet_stream();
    let mut content = match mime.essence_str() {
        "image/png" => PNG.to_vec(),
        "application/pdf" => PDF.to_vec(),
        _ => b"A file.\n".to_vec(),
    };
    if let Some(bytes) = bytes {
        content.resize(usize::try_from(bytes).unwrap_or(usize::MAX), b' ');
    }
    File {
        name: name.to_owned(),
        mime: mime.essence_str().to_owned(),
        bytes: content.into(),
    }
}
