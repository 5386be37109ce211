//! TensorBoard's events: the part of its protocol buffers that is written here (`event.proto`, `summary.proto` and `tensor.proto` of
//! <https://github.com/tensorflow/tensorboard/tree/master/tensorboard/compat/proto>), and how they lie in a file.

use prost::Message;

/// Something that happened at a time: a line of an event file.
#[derive(Clone, PartialEq, Message)]
pub struct Event {
    /// In seconds since 1970.
    #[prost(double, tag = "1")]
    pub wall_time: f64,
    #[prost(int64, tag = "2")]
    pub step: i64,
    /// In the first event of a file only.
    #[prost(string, optional, tag = "3")]
    pub file_version: Option<String>,
    #[prost(message, optional, tag = "5")]
    pub summary: Option<Summary>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Summary {
    #[prost(message, repeated, tag = "1")]
    pub value: Vec<Value>,
}

/// One of scalar, image and tensor under a name.
#[derive(Clone, PartialEq, Message)]
pub struct Value {
    #[prost(string, tag = "1")]
    pub tag: String,
    #[prost(float, optional, tag = "2")]
    pub simple_value: Option<f32>,
    #[prost(message, optional, tag = "4")]
    pub image: Option<Image>,
    #[prost(message, optional, tag = "8")]
    pub tensor: Option<Tensor>,
    #[prost(message, optional, tag = "9")]
    pub metadata: Option<Metadata>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Image {
    #[prost(int32, tag = "1")]
    pub height: i32,
    #[prost(int32, tag = "2")]
    pub width: i32,
    /// Channels: 4 with transparency.
    #[prost(int32, tag = "3")]
    pub colorspace: i32,
    /// A PNG file.
    #[prost(bytes = "vec", tag = "4")]
    pub encoded_image_string: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Metadata {
    #[prost(message, optional, tag = "1")]
    pub plugin_data: Option<PluginData>,
}

#[derive(Clone, PartialEq, Message)]
pub struct PluginData {
    #[prost(string, tag = "1")]
    pub plugin_name: String,
}

#[derive(Clone, PartialEq, Message)]
pub struct Tensor {
    #[prost(int32, tag = "1")]
    pub dtype: i32,
    #[prost(message, optional, tag = "2")]
    pub tensor_shape: Option<Shape>,
    #[prost(bytes = "vec", repeated, tag = "8")]
    pub string_val: Vec<Vec<u8>>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Shape {
    #[prost(message, repeated, tag = "2")]
    pub dim: Vec<Dimension>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Dimension {
    #[prost(int64, tag = "1")]
    pub size: i64,
}

/// `DT_STRING` of `types.proto`.
const STRING: i32 = 7;

impl Event {
    /// The first event of a file.
    pub fn first(wall_time: f64) -> Self {
        Self { wall_time, file_version: Some("brain.Event:2".into()), ..Self::default() }
    }

    /// A value at a step.
    pub fn of(wall_time: f64, step: usize, value: Value) -> Self {
        let summary = Some(Summary { value: vec![value] });
        Self { wall_time, step: i64::try_from(step).unwrap_or(i64::MAX), summary, ..Self::default() }
    }

    /// The event as a record: length and its checksum, content and its checksum, as TensorFlow's `record_writer.cc` has it.
    pub fn record(&self) -> Vec<u8> {
        let content = self.encode_to_vec();
        let length = (content.len() as u64).to_le_bytes();
        [&length[..], &masked(&length), &content, &masked(&content)].concat()
    }
}

/// A CRC-32C, rotated and shifted as TensorFlow does, since checksums of data with checksums in it are weak.
fn masked(bytes: &[u8]) -> [u8; 4] {
    crc32c::crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8).to_le_bytes()
}

impl Value {
    /// A number under a name.
    pub fn scalar(tag: &str, value: f64) -> Self {
        Self { tag: tag.to_owned(), simple_value: Some(value as f32), ..Self::default() }
    }

    /// A text under a name; TensorBoard reads it as Markdown.
    pub fn text(tag: &str, text: &str) -> Self {
        let plugin_data = Some(PluginData { plugin_name: "text".into() });
        let tensor = Tensor {
            dtype: STRING,
            tensor_shape: Some(Shape { dim: vec![Dimension { size: 1 }] }),
            string_val: vec![text.as_bytes().to_vec()],
        };
        let (tensor, metadata) = (Some(tensor), Some(Metadata { plugin_data }));
        Self { tag: tag.to_owned(), tensor, metadata, ..Self::default() }
    }

    /// A picture under a name, of so many pixels.
    pub fn png(tag: &str, png: Vec<u8>, width: u32, height: u32) -> Self {
        let image = Image {
            height: i32::try_from(height).unwrap_or(i32::MAX),
            width: i32::try_from(width).unwrap_or(i32::MAX),
            colorspace: 4,
            encoded_image_string: png,
        };
        Self { tag: tag.to_owned(), image: Some(image), ..Self::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What TensorBoard 2.21 itself writes. The program:
    ///
    /// ```python
    /// from tensorboard.compat.proto import event_pb2 as e, summary_pb2 as s, tensor_pb2 as t, tensor_shape_pb2 as h
    /// from tensorboard.summary.writer.record_writer import RecordWriter
    /// import io
    /// out = io.BytesIO(); w = RecordWriter(out); V = s.Summary.Value
    /// text = t.TensorProto(dtype=7, tensor_shape=h.TensorShapeProto(dim=[h.TensorShapeProto.Dim(size=1)]), string_val=[b"name: small"])
    /// meta = s.SummaryMetadata(plugin_data=s.SummaryMetadata.PluginData(plugin_name="text"))
    /// picture = s.Summary.Image(height=2, width=3, colorspace=4, encoded_image_string=b"PNG")
    /// for event in [
    ///     e.Event(wall_time=100.5, file_version="brain.Event:2"),
    ///     e.Event(wall_time=101, step=3, summary=s.Summary(value=[V(tag="train/loss", simple_value=0.25)])),
    ///     e.Event(wall_time=101, summary=s.Summary(value=[V(tag="config", tensor=text, metadata=meta)])),
    ///     e.Event(wall_time=101, summary=s.Summary(value=[V(tag="figures/a", image=picture)])),
    /// ]:
    ///     w.write(event.SerializeToString(deterministic=True))
    /// print(out.getvalue().hex())
    /// ```
    const WRITTEN: &str = "1800000000000000a37f4b220900000000002059401a0d627261696e2e4576656e743a321852f4c7\
        200000000000000029eda95009000000000040594010032a130a110a0a747261696e2f6c6f7373150000803eeb4a302d\
        36000000000000004f578cef0900000000004059402a2b0a290a06636f6e66696742150807120412020801420b6e616d\
        653a20736d616c6c4a080a060a04746578741508fe1e\
        2500000000000000eabc36f30900000000004059402a1a0a180a09666967757265732f61220b0802100318042203504e\
        47185f113a";

    #[test]
    fn events_are_the_bytes_that_tensorboard_writes() {
        let events = [
            Event::first(100.5),
            Event::of(101.0, 3, Value::scalar("train/loss", 0.25)),
            Event::of(101.0, 0, Value::text("config", "name: small")),
            Event::of(101.0, 0, Value::png("figures/a", b"PNG".to_vec(), 3, 2)),
        ];
        let bytes: Vec<u8> = events.iter().flat_map(Event::record).collect();
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, WRITTEN);
    }
}
