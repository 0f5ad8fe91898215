// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>

#include "face/face.hpp"
#include "unmask/error.hpp"

namespace unmask {

struct DetectorOptions {
  std::filesystem::path
      folder;  ///< with face_detection_{full,short}_range.tflite, haarcascade_frontalface_default.xml
  std::filesystem::path
      yunet;  ///< an operator's YuNet ONNX file; when given, it is used instead of BlazeFace
  std::filesystem::path cache;  ///< of compiled networks; empty: none
  int threads = 0;              ///< of inference; 0: one for each core
  double min_score = 0.5;       ///< weakest detection that counts as a face, 0..1
  int max_faces = 32;           ///< the strongest ones of a frame; the others are dropped
};

/// YuNet if a file is given; else BlazeFace; else, when its files are absent, Haar's cascade with a logged
/// warning. kNotFound when nothing of all that is there.
Result<std::unique_ptr<FaceDetector>> MakeFaceDetector(const DetectorOptions& options);

/// BlazeFace (Bazarevsky et al. 2019, arXiv:1907.05047) with the weights of MediaPipe: the full-range network
/// on the whole picture, on tiles when the picture is large, and the short-range network when nothing was
/// found.
Result<std::unique_ptr<FaceDetector>> MakeBlazeFace(const DetectorOptions& options);

/// YuNet (Wu et al. 2023) from an ONNX file with raw cls/obj/bbox/kps heads.
Result<std::unique_ptr<FaceDetector>> MakeYuNet(const DetectorOptions& options);

/// The cascade of Viola and Jones 2001 in OpenCV. Misses profiles and finds faces where there are none: a
/// last resort.
Result<std::unique_ptr<FaceDetector>> MakeHaar(const DetectorOptions& options);

}  // namespace unmask
