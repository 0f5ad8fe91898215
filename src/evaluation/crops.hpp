// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include <opencv2/core/mat.hpp>

#include "model/scorer.hpp"
#include "unmask/model.hpp"
#include "unmask/picture.hpp"
#include "unmask/report.hpp"

namespace unmask {

/// A picture that is a face already cut out, of which nobody knows the face's box. What it reaches beyond the
/// box on each side, as a share of the box's side, is the margin: 0.45 for a portrait with much around it, 0
/// when the picture is the box, negative for a tight crop whose box would reach beyond the picture.

/// The box that a picture of this size has with a margin above -0.5. Without a margin: the picture itself.
Box BoxOfCrop(int width, int height, std::optional<double> margin);

/// What the model sees of it. Without a margin the whole picture: it is the model's square already. With one,
/// the square of the model's crop rule, shrunk and moved until it lies within the picture: beyond the edge of
/// a crop there are no pixels, and repeating those at the edge would show the model something that neither
/// training nor service shows it.
cv::Rect RectOfCrop(int width, int height, std::optional<double> margin, const CropRule& rule);

/// A face report for a crop: its box and quality. Not scored yet.
FaceReport MeasureCrop(const cv::Mat& picture, std::optional<double> margin);

/// The report of a still with this face, each of the model's views cut as RectOfCrop() does: scored, judged
/// and, with `stability`, checked under mild re-encodings as `unmask scan` does it. Fails when the network
/// does.
Result<Report> AnalyzeCrop(const cv::Mat& picture, const Scorer& scorer, std::optional<double> margin,
                           bool stability);

}  // namespace unmask
