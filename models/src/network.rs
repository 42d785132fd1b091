//! The only module that knows tract: bytes in, a ready network out, tensors through it. Knows nothing about faces.

use sha2::{Digest, Sha256};
use tract_onnx::prelude::*;
use tract_onnx::tract_hir::infer::Factoid as _;

use crate::manifest::ModelId;

/// Why a model cannot be used. Each names the model, so that a page can say which file is damaged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    #[error("the model \"{model}\" is damaged: {expected_bytes} bytes expected, {got_bytes} found")]
    Length { model: ModelId, expected_bytes: u64, got_bytes: u64 },
    /// Hashes are shortened to their first twelve digits.
    #[error("the model \"{model}\" is damaged: sha256 {expected}… expected, {got}… found")]
    Hash { model: ModelId, expected: String, got: String },
    #[error("the model \"{model}\" is not an ONNX network that can run here: {cause}")]
    Unreadable { model: ModelId, cause: String },
    #[error("the model \"{model}\" has another shape than its manifest says: {cause}")]
    Shape { model: ModelId, cause: String },
}

impl ModelError {
    pub fn model(&self) -> ModelId {
        match self {
            Self::Length { model, .. }
            | Self::Hash { model, .. }
            | Self::Unreadable { model, .. }
            | Self::Shape { model, .. } => *model,
        }
    }
}

/// Why there is no answer for a frame. It is a fault of a network, never of what the picture shows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the model \"{model}\" failed on a frame: {cause}")]
pub struct InferenceError {
    pub model: ModelId,
    pub cause: String,
}

/// Checks the bytes of a model against the manifest's length and hash.
pub fn verify(model: ModelId, bytes: &[u8]) -> Result<(), ModelError> {
    let info = model.info();
    let got_bytes = bytes.len() as u64;
    if got_bytes != info.bytes {
        return Err(ModelError::Length { model, expected_bytes: info.bytes, got_bytes });
    }
    let got = hexadecimal(&Sha256::digest(bytes));
    if got != info.sha256 {
        let short = |hash: &str| hash.chars().take(12).collect();
        return Err(ModelError::Hash { model, expected: short(info.sha256), got: short(&got) });
    }
    Ok(())
}

fn hexadecimal(digest: &[u8]) -> String {
    use std::fmt::Write as _;
    digest.iter().fold(String::new(), |mut text, byte| {
        // Writing to a `String` cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A network with its own run state: buffers are reused from frame to frame.
pub(crate) struct Network {
    model: ModelId,
    shape: &'static [usize],
    state: TypedSimpleState,
}

impl std::fmt::Debug for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Network({})", self.model)
    }
}

impl Network {
    /// Reads and optimises a network and checks that its inputs and outputs are what the manifest and the decoders rely
    /// on: `outputs` lists the number of values in each output.
    pub(crate) fn load(model: ModelId, bytes: &[u8], outputs: &[usize]) -> Result<Self, ModelError> {
        let unreadable = |cause: TractError| ModelError::Unreadable { model, cause: told(&cause) };
        let shape = model.info().input_shape;
        let graph = tract_onnx::onnx().model_for_read(&mut &*bytes).map_err(unreadable)?;
        check_input(model, &graph)?;
        let graph = graph
            .with_input_fact(0, f32::fact(shape).into())
            .and_then(InferenceModelExt::into_typed)
            .map_err(|cause| ModelError::Shape { model, cause: told(&cause) })?;
        check_outputs(model, &graph, outputs)?;
        let plan = graph.into_optimized().and_then(IntoRunnable::into_runnable).map_err(unreadable)?;
        let state = plan.spawn().map_err(unreadable)?;
        Ok(Self { model, shape, state })
    }

    /// Runs the network on one input, laid out as the manifest says; returns one list of numbers for each output.
    /// Refuses what is not finite on either side: a NaN that goes in may come out as a plausible answer.
    pub(crate) fn run(&mut self, input: &[f32]) -> Result<Vec<Vec<f32>>, InferenceError> {
        let model = self.model;
        finite(model, "input", input)?;
        let mut run = || -> TractResult<Vec<Vec<f32>>> {
            let tensor = Tensor::from_shape(self.shape, input)?;
            let outputs = self.state.run(tvec!(tensor.into()))?;
            outputs
                .iter()
                .map(|output| Ok(output.to_plain_array_view::<f32>()?.iter().copied().collect()))
                .collect()
        };
        let outputs = run().map_err(|cause| InferenceError { model, cause: told(&cause) })?;
        outputs.iter().try_for_each(|output| finite(model, "answer", output))?;
        Ok(outputs)
    }
}

fn finite(model: ModelId, side: &str, numbers: &[f32]) -> Result<(), InferenceError> {
    if numbers.iter().all(|number| number.is_finite()) {
        return Ok(());
    }
    Err(InferenceError { model, cause: format!("its {side} is not a number") })
}

/// The outputs as a fixed-size array. Loading has checked how many there are, so any other number is a fault of the
/// network.
pub(crate) fn exactly<const N: usize>(
    model: ModelId,
    outputs: Vec<Vec<f32>>,
) -> Result<[Vec<f32>; N], InferenceError> {
    outputs.try_into().map_err(|outputs: Vec<_>| InferenceError {
        model,
        cause: format!("{N} outputs expected, {} given", outputs.len()),
    })
}

fn check_input(model: ModelId, graph: &InferenceModel) -> Result<(), ModelError> {
    let shape_fault = |cause: String| Err(ModelError::Shape { model, cause });
    let inputs = graph.inputs.len();
    if inputs != 1 {
        return shape_fault(format!("one input expected, {inputs} found"));
    }
    let expected = model.info().input_shape;
    // A dimension may be left open in the file, as the batch dimension often is.
    let found: Option<Vec<Option<usize>>> = graph.input_fact(0).ok().map(|fact| {
        let known = |dimension: TDim| dimension.to_i64().ok().and_then(|length| usize::try_from(length).ok());
        fact.shape.dims().map(|dimension| dimension.concretize().and_then(known)).collect()
    });
    let fits = |found: &Vec<Option<usize>>| {
        found.len() == expected.len()
            && found
                .iter()
                .zip(expected)
                .all(|(found, expected)| found.is_none_or(|found| found == *expected))
    };
    match found {
        Some(found) if fits(&found) => Ok(()),
        found => shape_fault(format!("input {expected:?} expected, {found:?} found")),
    }
}

fn check_outputs(model: ModelId, graph: &TypedModel, expected: &[usize]) -> Result<(), ModelError> {
    let found: Option<Vec<usize>> = (0..graph.outputs.len())
        .map(|output| Some(graph.output_fact(output).ok()?.shape.as_concrete()?.iter().product()))
        .collect();
    match found {
        Some(found) if found == expected => Ok(()),
        found => {
            let cause = format!("outputs of {expected:?} numbers expected, {found:?} found");
            Err(ModelError::Shape { model, cause })
        }
    }
}

/// The whole chain of causes on one line.
fn told(error: &TractError) -> String {
    error.chain().map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEAR: &[u8] = include_bytes!("../weights/mediapipe_face_detection_short_range.onnx");
    const OUTPUTS: [usize; 2] = [896 * 16, 896];

    #[test]
    fn what_is_not_a_number_neither_goes_in_nor_comes_out() {
        let mut network = Network::load(ModelId::Near, NEAR, &OUTPUTS).unwrap();
        let mut input = vec![0.0; 128 * 128 * 3];
        assert!(network.run(&input).is_ok());
        let cause = |network: &mut Network, input: &[f32]| network.run(input).unwrap_err().cause;
        for odd in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            input[9_000] = odd;
            assert_eq!(cause(&mut network, &input), "its input is not a number");
        }
        let answer = finite(ModelId::Near, "answer", &[0.0, f32::NAN]);
        assert_eq!(answer.unwrap_err().cause, "its answer is not a number");
        // Finite, but too large to be added up: whatever comes of it, there is an end.
        let _ = network.run(&vec![f32::MAX; input.len()]);
        assert!(network.run(&vec![0.0; input.len()]).is_ok(), "an odd input leaves nothing behind");
        assert!(network.run(&[0.0; 7]).is_err(), "too few numbers");
    }
}
