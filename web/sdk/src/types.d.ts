/** The order of `MienFace.scores`. */
export type MienExpression = "neutral" | "happiness" | "sadness" | "anger" | "fear" | "disgust" | "surprise";

/** What one of the 52 coefficients is called, as MediaPipe publishes them. Left and right are the person's own. */
export type MienCoefficient =
  | "_neutral"
  | "browDownLeft"
  | "browDownRight"
  | "browInnerUp"
  | "browOuterUpLeft"
  | "browOuterUpRight"
  | "cheekPuff"
  | "cheekSquintLeft"
  | "cheekSquintRight"
  | "eyeBlinkLeft"
  | "eyeBlinkRight"
  | "eyeLookDownLeft"
  | "eyeLookDownRight"
  | "eyeLookInLeft"
  | "eyeLookInRight"
  | "eyeLookOutLeft"
  | "eyeLookOutRight"
  | "eyeLookUpLeft"
  | "eyeLookUpRight"
  | "eyeSquintLeft"
  | "eyeSquintRight"
  | "eyeWideLeft"
  | "eyeWideRight"
  | "jawForward"
  | "jawLeft"
  | "jawOpen"
  | "jawRight"
  | "mouthClose"
  | "mouthDimpleLeft"
  | "mouthDimpleRight"
  | "mouthFrownLeft"
  | "mouthFrownRight"
  | "mouthFunnel"
  | "mouthLeft"
  | "mouthLowerDownLeft"
  | "mouthLowerDownRight"
  | "mouthPressLeft"
  | "mouthPressRight"
  | "mouthPucker"
  | "mouthRight"
  | "mouthRollLower"
  | "mouthRollUpper"
  | "mouthShrugLower"
  | "mouthShrugUpper"
  | "mouthSmileLeft"
  | "mouthSmileRight"
  | "mouthStretchLeft"
  | "mouthStretchRight"
  | "mouthUpperUpLeft"
  | "mouthUpperUpRight"
  | "noseSneerLeft"
  | "noseSneerRight";

/** What is measured of a face's landmarks. All angles are in degrees. */
export interface MienLandmarks {
  /** Above 0 where the face looks to the right of the unmirrored picture, the person's own left. */
  yaw: number;
  /** Above 0 where the face looks up. */
  pitch: number;
  /** Above 0 where the head leans clockwise in the unmirrored picture, to the person's own left shoulder. */
  roll: number;
  /** How far the person's own left eye is closed, 0 to 1; from about 0.5 on it is. */
  blink_left: number;
  blink_right: number;
  /** Where the eyes look, relative to the head: to the right of the unmirrored picture, and up. Absent while both are closed. */
  gaze?: [number, number];
  /** Each 0 to 1. */
  coefficients: Record<MienCoefficient, number>;
}

export interface MienFace {
  /** Identity, stable while the face is tracked. */
  id: number;
  /** Left, top, width and height as fractions of the frame. */
  box: [number, number, number, number];
  /** What the face shows, or null where the analyser abstains. */
  expression: MienExpression | null;
  /** Probability of each expression: neutral, happiness, sadness, anger, fear, disgust, surprise. */
  scores: [number, number, number, number, number, number, number];
  /** How far the face can be judged (size, pose, light), 0 to 1. */
  quality?: number;
  /** From how many looks the person's own neutral face was taken. Absent where the face is not compared with one. */
  neutral?: number;
  /**
   * Where landmarks are on: measured in every second or third frame and kept in between, for a quarter of a second at
   * most. Absent where there is nothing that recent.
   */
  landmarks?: MienLandmarks;
  /** What lowers it. Absent where nothing does. There may be more in a later version. */
  why?: ("small" | "turned" | "dark" | "blurred" | "cut" | (string & {}))[];
  /** How pleasant the shown expression is, -1 to 1: happiness less the strongest of sadness, anger, fear, disgust. */
  valence?: number;
}

/**
 * Why nothing was analysed for a while: the run was paused, the page hidden, browser or machine too slow, the source
 * silent, no room left, or the wall clock set (then no time was lost). There may be more in a later version.
 */
export type MienSkipReason = "paused" | "hidden" | "throttled" | "stalled" | "full" | "clock_step" | (string & {});

export interface MienSkipped {
  reason: MienSkipReason;
  /** Milliseconds; below 0 only where the clock was set back. */
  ms: number;
}

/** What one analysed frame showed; an empty list of faces means nobody in view. */
export interface MienSample {
  /** Counts from 1 in each run. */
  seq: number;
  /** Capture time, Unix milliseconds. */
  at: number;
  /** Position in the file, milliseconds, where the frame came from one; absent for cameras and streams. */
  media_ms?: number;
  /** Time since this run's last sample in which nothing was analysed, by reason. Absent where there was none. */
  skipped?: MienSkipped[];
  /** The largest, 32 at most. */
  faces: MienFace[];
  /** How many smaller faces were found and not read. Absent where there were none. */
  faces_left_out?: number;
}

export interface MienStats {
  cameraFps: number;
  analysedFps: number;
  /** Frames that a newer one replaced before a worker was free. */
  skipped: number;
  /** Median milliseconds of one frame. */
  inferenceMs: number;
  workers: number;
}

/** What `init`, `Mien.load` and `start` reject with: an `Error` with one of these as its `code`. */
export type MienErrorCode =
  | "simd_missing"
  | "not_built"
  | "model_missing"
  | "model_damaged"
  | "network"
  | "blocked"
  | "worker_failed"
  | "invalid_input"
  | "video_without_frames"
  | "unreadable_video"
  | "cross_origin"
  | "source_failed";

/**
 * What `calibrate` rejects with, as the `code` of an `Error`: no face gave enough good looks within 20 seconds (then the
 * error also has an `obstacle`, or none if nobody was in view), it was cancelled or begun anew, or the run has ended.
 */
export type MienCalibrationErrorCode = "neutral_not_taken" | "cancelled" | "run_ended";

/**
 * Why a look does not count: the frame cuts the face off, it is too small, turned away, in bad light, moving or blurred,
 * smiling, or a little of several. There may be more in a later version.
 */
export type MienObstacle =
  | "cut"
  | "small"
  | "turned"
  | "dark"
  | "bright"
  | "moving"
  | "smiling"
  | "unclear"
  | (string & {});

/** How far the neutral face of one person has got. */
export interface MienNeutralProgress {
  /** The `id` of the face. */
  face: number;
  /** Looks that count so far. */
  looks: number;
  /** How many it takes at the present pace. */
  needed: number;
  /** Why the newest look does not count, or null if it does. */
  obstacle: MienObstacle | null;
}

export interface MienCalibrateOptions {
  /** After each analysed frame: every face that is followed. An empty list means nobody in view. */
  onProgress?: (faces: MienNeutralProgress[]) => void;
}

/** The faces that are compared with their own neutral ones from now on. */
export interface MienCalibration {
  faces: { face: number; looks: number }[];
}

export type MienFaultCode =
  | "worker_restarting"
  | "worker_failed"
  | "frame_failed"
  | "landmarks_lost"
  | "nothing_analysed"
  | "source_silent"
  | "source_lost"
  | "source_failed"
  | "cross_origin"
  | "unreadable_video"
  | "video_without_frames";

export interface MienFault {
  /** Whether the run has ended with it. */
  final: boolean;
  code: MienFaultCode;
  message: string;
}

export interface MienLoadOptions {
  /**
   * Folder of worker and models, with the names that they have in the package, on the page's own origin. By default
   * they are where the package lies, or where a bundler that knows `new URL("…", import.meta.url)` has put them.
   */
  baseUrl?: string;
  /**
   * Also measure head pose, blinks, gaze and 52 coefficients, and tell faint smiles better. Fetches 6.8 MB more. Off by
   * default, and then nothing of it is fetched; `setLandmarks` switches it later.
   */
  landmarks?: boolean;
  onProgress?: (loadedBytes: number, totalBytes: number) => void;
}

export interface MienProgressOptions {
  onProgress?: (loadedBytes: number, totalBytes: number) => void;
}

/** What a handler throws reaches `window.onerror` and the console, and ends nothing. */
export interface MienHandlers {
  /** The `sample` event: once for each analysed frame, in order of capture. */
  onSample: (sample: MienSample) => void;
  onStats?: (stats: MienStats) => void;
  onFault?: (fault: MienFault) => void;
  onEnd?: () => void;
}

/** Members for `using`, where the compiler's libraries know them (`esnext.disposable`). */
export type MienDisposable = SymbolConstructor extends { readonly dispose: infer Name extends symbol }
  ? { [Member in Name]: () => void }
  : {};
