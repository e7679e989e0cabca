//! Records as bytes: a mark, then the record, compressed where that makes it shorter.
//!
//! What a person writes stands in a turn several times: as the input, and in what the turn asks for. Compressed,
//! it costs its length once.

use crate::StoreError;
use std::borrow::Cow;

const PLAIN: u8 = 0;
const LZ4: u8 = 1;

/// Records below this many bytes are not worth the attempt.
const SHORT: usize = 64;

/// One byte of LZ4 stands for at most this many.
const LARGEST_RATIO: usize = 256;

pub(super) fn pack(record: &[u8]) -> Vec<u8> {
    if record.len() >= SHORT {
        let compressed = lz4_flex::compress_prepend_size(record);
        if compressed.len() < record.len() {
            return marked(LZ4, &compressed);
        }
    }
    marked(PLAIN, record)
}

fn marked(mark: u8, bytes: &[u8]) -> Vec<u8> {
    let mut blob = Vec::with_capacity(bytes.len() + 1);
    blob.push(mark);
    blob.extend_from_slice(bytes);
    blob
}

pub(super) fn unpack(blob: &[u8]) -> Result<Cow<'_, [u8]>, StoreError> {
    match blob.split_first() {
        Some((&PLAIN, record)) => Ok(Cow::Borrowed(record)),
        Some((&LZ4, compressed)) => {
            // A damaged length must not make room for gigabytes.
            let (length, _) =
                lz4_flex::block::uncompressed_size(compressed).map_err(StoreError::corrupt)?;
            if length > compressed.len() * LARGEST_RATIO {
                return Err(StoreError::corrupt("a record claims an impossible length"));
            }
            let record = lz4_flex::decompress_size_prepended(compressed);
            record.map(Cow::Owned).map_err(StoreError::corrupt)
        }
        _ => Err(StoreError::corrupt("a record has no known mark")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn damage_is_told_and_makes_no_room() {
        let mut blob = pack(&b"abc".repeat(1_000));
        assert_eq!(blob[0], LZ4);
        blob[1..5].copy_from_slice(&u32::MAX.to_le_bytes());
        for blob in [blob.as_slice(), &[], &[7, 1, 2], &[LZ4], &[LZ4, 1]] {
            assert_eq!(
                unpack(blob).expect_err("is damaged").code(),
                "store.corrupt"
            );
        }
    }

    proptest! {
        #[test]
        fn what_is_packed_is_unpacked(record in prop::collection::vec(any::<u8>(), 0..300), times in 1..20_usize) {
            let record = record.repeat(times);
            let blob = pack(&record);
            prop_assert!(blob.len() <= record.len() + 1);
            prop_assert_eq!(&*unpack(&blob).expect("is whole"), &record[..]);
        }
    }
}
