//! gRPC's length-prefixed frames.

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use prost::Message as _;
use prost_reflect::DynamicMessage;

const PREFIX_BYTES: usize = 5;

/// One message as one frame.
pub(crate) fn encode(message: &DynamicMessage) -> Bytes {
    let body = message.encode_to_vec();
    let mut frame = BytesMut::with_capacity(PREFIX_BYTES + body.len());
    frame.put_u8(0);
    frame.put_u32(u32::try_from(body.len()).unwrap_or(u32::MAX));
    frame.extend_from_slice(&body);
    frame.freeze()
}

/// Takes the first whole frame off `buffer`; `None` when it is not all there yet.
pub(crate) fn take(buffer: &mut BytesMut) -> Option<Bytes> {
    let length = usize::try_from(u32::from_be_bytes(buffer.get(1..PREFIX_BYTES)?.try_into().ok()?)).ok()?;
    if buffer.len() < PREFIX_BYTES + length {
        return None;
    }
    buffer.advance(PREFIX_BYTES);
    Some(buffer.split_to(length).freeze())
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;

    use super::take;

    #[test]
    fn frames_come_out_whole_however_they_arrive() {
        let wire = [0, 0, 0, 0, 2, b'a', b'b', 0, 0, 0, 0, 0];
        let mut buffer = BytesMut::new();
        let mut frames = Vec::new();
        for byte in wire {
            buffer.extend_from_slice(&[byte]);
            frames.extend(take(&mut buffer));
        }
        assert_eq!(frames, [&b"ab"[..], &b""[..]]);
        assert!(buffer.is_empty());
    }
}
