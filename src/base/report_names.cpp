// SPDX-License-Identifier: Apache-2.0
#include "unmask/report.hpp"

namespace unmask {

std::string_view VerdictName(Verdict verdict) {
  switch (verdict) {
    case Verdict::kManipulated:
      return "manipulated";
    case Verdict::kNoManipulationFound:
      return "no_manipulation_found";
    case Verdict::kInconclusive:
      return "inconclusive";
  }
  return "inconclusive";
}

std::string_view ReasonName(Reason reason) {
  switch (reason) {
    case Reason::kNoFace:
      return "no_face";
    case Reason::kFewFaces:
      return "few_faces";
    case Reason::kFacesTooSmall:
      return "faces_too_small";
    case Reason::kLowQuality:
      return "low_quality";
    case Reason::kUnstable:
      return "unstable";
    case Reason::kBetweenThresholds:
      return "between_thresholds";
    case Reason::kManyFaces:
      return "many_faces";
    case Reason::kNotAPhoto:
      return "not_a_photo";
    case Reason::kDecodeErrors:
      return "decode_errors";
    case Reason::kTruncated:
      return "truncated";
    case Reason::kNotCalibrated:
      return "not_calibrated";
  }
  return "low_quality";
}

std::string_view SampleModeName(SampleMode mode) {
  switch (mode) {
    case SampleMode::kFps:
      return "fps";
    case SampleMode::kKeyframes:
      return "keyframes";
    case SampleMode::kPicked:
      return "picked";
  }
  return "fps";
}

}  // namespace unmask
