// Where the package's files are. Each address is a literal, because bundlers look for `new URL("…", import.meta.url)`,
// copy that one file and insert the address of the copy. The address of the folder would mean nothing to them.
export function packageFiles() {
  return {
    worker: new URL("./mien-worker.js", import.meta.url).href,
    workerCode: new URL("./mien-worker_bg.wasm", import.meta.url).href,
    near: new URL("./mediapipe_face_detection_short_range.onnx", import.meta.url).href,
    far: new URL("./human_blazeface_256.onnx", import.meta.url).href,
    expression: new URL("./faceapi_expression_112.onnx", import.meta.url).href,
    landmarks: new URL("./mediapipe_face_landmarks_256.onnx", import.meta.url).href,
    blendshapes: new URL("./mediapipe_face_blendshapes.onnx", import.meta.url).href,
  };
}
