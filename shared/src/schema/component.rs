//! Components of the documents, and the schemas that they are built of.

use std::ops::RangeInclusive;

use utoipa::ToSchema;
use utoipa::openapi::schema::{
    AnyOfBuilder, ArrayBuilder, KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type,
};
use utoipa::openapi::{Ref, RefOr};

pub(crate) type Schemas = Vec<(String, RefOr<Schema>)>;

/// Puts the schema of `T`, and of what it is made of, among those of a document.
pub fn add<T: ToSchema>(schemas: &mut Schemas) {
    schemas.push((T::name().into_owned(), T::schema()));
    T::schemas(schemas);
}

/// A component of a document under the type's name, described by the type's own comment.
macro_rules! components {
    ($($(#[doc = $about:literal])+ $visibility:vis $name:ident: $schema:expr $(, of $part:ty)?;)*) => {$(
        $(#[doc = $about])+
        #[derive(Debug)]
        $visibility enum $name {}

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                let about = concat!($($about),+).trim_ascii_start();
                utoipa::openapi::Schema::from($schema.description(Some(about)).build()).into()
            }
        }

        impl utoipa::ToSchema for $name {
            fn name() -> std::borrow::Cow<'static, str> {
                std::borrow::Cow::Borrowed(stringify!($name))
            }
            #[allow(unused_variables, reason = "most are made of nothing else")]
            fn schemas(schemas: &mut $crate::schema::component::Schemas) {
                $($crate::schema::component::add::<$part>(schemas);)?
            }
        }
    )*};
}

pub(crate) use components;

/// One of the names of `T`, or another text: more may come.
pub(crate) fn open<T: ToSchema>() -> AnyOfBuilder {
    AnyOfBuilder::new()
        .item(Ref::from_schema_name(T::name()))
        .item(ObjectBuilder::new().schema_type(Type::String))
}

pub(crate) fn integer(range: RangeInclusive<i64>) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::Integer)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
        .minimum(Some(*range.start()))
        .maximum(Some(*range.end()))
}

pub(crate) fn number(range: RangeInclusive<f64>) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Number).minimum(Some(*range.start())).maximum(Some(*range.end()))
}

/// JSON Schema counts characters, as the relay does.
pub(crate) fn text(chars: RangeInclusive<usize>, pattern: &str) -> ObjectBuilder {
    let text =
        ObjectBuilder::new().schema_type(Type::String).max_length(Some(*chars.end())).pattern(Some(pattern));
    if *chars.start() > 0 { text.min_length(Some(*chars.start())) } else { text }
}

/// What people write: anything but NUL, which not every store can keep.
pub(crate) fn words(chars: RangeInclusive<usize>) -> ObjectBuilder {
    text(chars, "^[^\\u0000]*$")
}

pub(crate) fn list<T: ToSchema>(count: RangeInclusive<usize>) -> ArrayBuilder {
    let list = ArrayBuilder::new()
        .items(Ref::from_schema_name(<T as ToSchema>::name()))
        .max_items(Some(*count.end()));
    if *count.start() > 0 { list.min_items(Some(*count.start())) } else { list }
}
