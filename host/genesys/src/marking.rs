//! Secrets in handles are marked, so that whoever keeps a handle can seal them without knowing the
//! transport: `{"$secret": ...}` stands where the value alone would.
//!
//! A handle from before a value was marked reads all the same.

use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The one key of an object that marks its value as a secret, in the handles of every transport.
pub const SECRET: &str = "$secret";

/// For `#[serde(with = "marking")]`.
pub(crate) fn serialize<T: Serialize, S: Serializer>(
    secret: &T,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut marked = serializer.serialize_map(Some(1))?;
    marked.serialize_entry(SECRET, secret)?;
    marked.end()
}

/// For `#[serde(with = "marking")]`.
pub(crate) fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either<T> {
        Marked {
            #[serde(rename = "$secret")]
            secret: T,
        },
        Plain(T),
    }
    Ok(match Either::deserialize(deserializer)? {
        Either::Marked { secret } | Either::Plain(secret) => secret,
    })
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};
    use serde_json::{from_value, json, to_value};

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Seat {
        #[serde(with = "super")]
        key: String,
    }

    #[test]
    fn a_secret_is_marked_and_read_marked_or_not() {
        let seat = Seat {
            key: "k".to_owned(),
        };
        let marked = json!({"key": {"$secret": "k"}});
        assert_eq!(to_value(&seat).expect("is data"), marked);
        for written in [marked, json!({"key": "k"})] {
            assert_eq!(from_value::<Seat>(written).expect("reads"), seat);
        }
        from_value::<Seat>(json!({"key": {"$sealed": "k"}})).expect_err("is not a key");
    }
}
