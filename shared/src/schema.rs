//! Schemas of values whose limits no Rust type says: named where a field has a `u64`, a `String` or a `Vec` on the
//! wire, so that the generated documents refuse what the relay refuses.
//!
//! Written by hand, as utoipa's attributes (6.0.0) take literals alone, and the limits are in [`crate::limits`], once.
//! The types that are made here have no values.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use utoipa::openapi::schema::{
    AnyOfBuilder, ArrayBuilder, KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type,
};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

use crate::api::{Marker, SeriesPoint, Session, SourceGap, SourceName, SourceSummary, StoredSample};
use crate::expression::{Expression, Scores};
use crate::limits::{
    BOX_RANGE, DEFAULT_PAGE, DEFAULT_RESOLUTION_MS, MAX_BATCH, MAX_FACES, MAX_LABEL_CHARS, MAX_LISTED_GAPS,
    MAX_MARKERS, MAX_PAGE, MAX_PURPOSE_CHARS, MAX_REQUEST_ID_CHARS, MAX_SAFE_INTEGER, MAX_SERIES_POINTS,
    MAX_SKIPPED, MAX_SOURCE_CHARS, MAX_SOURCES, MAX_TITLE_CHARS, MAX_TOKEN_ID_CHARS, MAX_TOKEN_TTL,
};
use crate::problem::Code;
use crate::sample::{Face, FaceBox, Sample, SkipReason, Skipped};

const MAX: i64 = MAX_SAFE_INTEGER as i64;

type Schemas = Vec<(String, RefOr<Schema>)>;

/// Puts the schema of `T`, and of what it is made of, among those of a document.
pub fn add<T: ToSchema>(schemas: &mut Schemas) {
    schemas.push((T::name().into_owned(), T::schema()));
    T::schemas(schemas);
}

/// A component of a document under the type's name, described by the type's own comment.
macro_rules! components {
    ($($(#[doc = $about:literal])+ $name:ident: $schema:expr $(, of $part:ty)?;)*) => {$(
        $(#[doc = $about])+
        #[derive(Debug)]
        pub enum $name {}

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let about = concat!($($about),+).trim_ascii_start();
                Schema::from($schema.description(Some(about)).build()).into()
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed(stringify!($name))
            }
            #[allow(unused_variables, reason = "most are made of nothing else")]
            fn schemas(schemas: &mut Schemas) {
                $(add::<$part>(schemas);)?
            }
        }
    )*};
}

components! {
    /// Number of a sample in its source.
    Seq: integer(1..=MAX);
    /// Number of a sample in its source, or 0: before the first.
    Through: integer(0..=MAX);
    /// Unix milliseconds.
    UnixMilliseconds: integer(0..=MAX);
    /// Unix milliseconds as the bound of a stretch of time: one past the largest `at` counts, too.
    TimeBound: integer(0..=MAX + 1);
    /// A time, in milliseconds.
    Milliseconds: integer(0..=MAX);
    /// A time, in milliseconds; below 0 where a clock was set back.
    SkippedMilliseconds: integer(-MAX..=MAX);
    /// Length of a bucket, in milliseconds.
    ResolutionMilliseconds: integer(1..=MAX).default(Some(DEFAULT_RESOLUTION_MS.into()));
    /// How long a token holds, in seconds; a relay's settings may allow less.
    TokenSeconds: integer(1..=MAX_TOKEN_TTL.as_secs() as i64);
    /// Rows of a page.
    PageLimit: integer(1..=i64::from(MAX_PAGE)).default(Some(DEFAULT_PAGE.into()));
    /// Identity of a face within its source.
    FaceId: integer(0..=i64::from(u32::MAX));
    /// A rate or a burst, in samples.
    SampleCount: integer(1..=i64::from(u32::MAX));
    /// HTTP status of an error.
    ErrorStatus: integer(400..=599);
    /// A probability, or a measure of quality.
    Share: number(0.0..=1.0);
    /// What a session is called.
    Title: words(0..=MAX_TITLE_CHARS);
    /// What a session is for.
    Purpose: words(0..=MAX_PURPOSE_CHARS);
    /// What a marker says.
    Label: words(1..=MAX_LABEL_CHARS);
    /// Name of a request: the client's `X-Request-Id`, or one that the relay made.
    RequestId: text(1..=MAX_REQUEST_ID_CHARS, "^[A-Za-z0-9._-]+$");
    /// Name of a token: its `jti`.
    TokenId: text(1..=MAX_TOKEN_ID_CHARS, "^[!-~]+$");
    /// A code that an error has today. More may come: one that is not known here means what its status means.
    ErrorCode: AnyOfBuilder::new()
        .item(Ref::from_schema_name(<Code as ToSchema>::name()))
        .item(ObjectBuilder::new().schema_type(Type::String)),
        of Code;
    /// Why nothing was analysed. More reasons may come: one that is not known here counts as `other`.
    AnySkipReason: AnyOfBuilder::new()
        .item(Ref::from_schema_name(<SkipReason as ToSchema>::name()))
        .item(ObjectBuilder::new().schema_type(Type::String)),
        of SkipReason;
    /// Every face that the frame showed.
    Faces: list::<Face>(0..=MAX_FACES), of Face;
    /// What was skipped, by reason.
    SkippedTimes: list::<Skipped>(0..=MAX_SKIPPED), of Skipped;
    /// The samples of one message, in order of `seq`.
    SampleBatch: list::<Sample>(1..=MAX_BATCH), of Sample;
    /// The expressions, in the order of every list of scores.
    Expressions: list::<Expression>(Expression::COUNT..=Expression::COUNT), of Expression;
    /// Names of sources.
    SourceNames: list::<SourceName>(0..=MAX_SOURCES), of SourceName;
    /// The sessions of a page.
    SessionPage: list::<Session>(0..=MAX_PAGE as usize), of Session;
    /// The samples of a page.
    SamplePage: list::<StoredSample>(0..=MAX_PAGE as usize), of StoredSample;
    /// The points of a series.
    SeriesPoints: list::<SeriesPoint>(0..=MAX_SERIES_POINTS), of SeriesPoint;
    /// The sources of a session.
    SourceSummaries: list::<SourceSummary>(0..=MAX_SOURCES), of SourceSummary;
    /// The markers of a session.
    Markers: list::<Marker>(0..=MAX_MARKERS), of Marker;
    /// The first and the last of the seqs that never came.
    Gap: list::<Seq>(2..=2), of Seq;
    /// The first gaps of a source.
    Gaps: list::<Gap>(0..=MAX_LISTED_GAPS), of Gap;
    /// The gaps of a page.
    GapPage: list::<SourceGap>(0..=MAX_PAGE as usize), of SourceGap;
}

/// What a source's name is of, as a regular expression without anchors.
pub fn source_chars() -> String {
    format!("[a-z0-9_-]{{1,{MAX_SOURCE_CHARS}}}")
}

impl PartialSchema for SourceName {
    fn schema() -> RefOr<Schema> {
        let about = format!("Name of a source: 1–{MAX_SOURCE_CHARS} of `a-z 0-9 - _`.");
        let pattern = format!("^{}$", source_chars());
        let name = text(1..=MAX_SOURCE_CHARS, &pattern).description(Some(about));
        Schema::from(name.build()).into()
    }
}

impl ToSchema for SourceName {}

impl PartialSchema for FaceBox {
    fn schema() -> RefOr<Schema> {
        let (low, high) = (f64::from(*BOX_RANGE.start()), f64::from(*BOX_RANGE.end()));
        let side = |about: &str| number(low..=high).description(Some(about)).build();
        let length = |about: &str| {
            let above_zero = ObjectBuilder::new().schema_type(Type::Number).exclusive_minimum(Some(0.0));
            above_zero.maximum(Some(high)).description(Some(about)).build()
        };
        let list = ArrayBuilder::new()
            .prefix_items([side("left"), side("top"), length("width"), length("height")])
            // For AsyncAPI's readers, whose JSON Schema (draft 7) does not know `prefixItems`.
            .items(number(low..=high).build())
            .min_items(Some(4))
            .max_items(Some(4))
            .description(Some("Left, top, width and height as fractions of the frame."));
        Schema::from(list.build()).into()
    }
}

impl ToSchema for FaceBox {}

impl PartialSchema for Scores {
    fn schema() -> RefOr<Schema> {
        let list = ArrayBuilder::new()
            .items(number(0.0..=1.0).build())
            .min_items(Some(Expression::COUNT))
            .max_items(Some(Expression::COUNT))
            .description(Some(
                "Probability of each expression, in the order of `expressions`; their sum is 1 ± 0.05.",
            ));
        Schema::from(list.build()).into()
    }
}

impl ToSchema for Scores {}

fn integer(range: RangeInclusive<i64>) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::Integer)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
        .minimum(Some(*range.start()))
        .maximum(Some(*range.end()))
}

fn number(range: RangeInclusive<f64>) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Number).minimum(Some(*range.start())).maximum(Some(*range.end()))
}

/// JSON Schema counts characters, as the relay does.
fn text(chars: RangeInclusive<usize>, pattern: &str) -> ObjectBuilder {
    let text =
        ObjectBuilder::new().schema_type(Type::String).max_length(Some(*chars.end())).pattern(Some(pattern));
    if *chars.start() > 0 { text.min_length(Some(*chars.start())) } else { text }
}

/// What people write: anything but NUL, which not every store can keep.
fn words(chars: RangeInclusive<usize>) -> ObjectBuilder {
    text(chars, "^[^\\u0000]*$")
}

fn list<T: ToSchema>(count: RangeInclusive<usize>) -> ArrayBuilder {
    let list = ArrayBuilder::new()
        .items(Ref::from_schema_name(<T as ToSchema>::name()))
        .max_items(Some(*count.end()));
    if *count.start() > 0 { list.min_items(Some(*count.start())) } else { list }
}
