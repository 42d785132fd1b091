// Where the package's files are. Each address is a literal, as bundlers look for `new URL("…", import.meta.url)`, carry
// that one file along and put the address of their copy in its place. The address of the folder would say nothing to
// them.
export function packageFiles() {
  return {
    worker: new URL("./mien-worker.js", import.meta.url).href,
    workerCode: new URL("./mien-worker_bg.wasm", import.meta.url).href,
    near: new URL("./mediapipe_face_detection_short_range.onnx", import.meta.url).href,
    far: new URL("./human_blazeface_256.onnx", import.meta.url).href,
    expression: new URL("./faceapi_expression_112.onnx", import.meta.url).href,
  };
}
