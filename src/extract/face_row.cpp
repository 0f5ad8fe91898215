// SPDX-License-Identifier: Apache-2.0
#include "extract/face_row.hpp"

#include <cmath>

#include <fmt/format.h>

#include "extract/names.hpp"
#include "render/csv_cells.hpp"
#include "render/round.hpp"

namespace unmask {
namespace {

constexpr const char* kPoints[] = {"right_eye", "left_eye", "nose", "mouth"};

/// To a thousandth of a pixel: finer than any detector.
std::string Pixels(double value) { return CsvNumber(RoundTo(value, 1000)); }

void AddPoint(std::vector<std::string>& cells, const Point& point) {
  cells.push_back(Pixels(point.x));
  cells.push_back(Pixels(point.y));
}

Point InCrop(const Point& point, const CutFace& face) {
  const double scale = static_cast<double>(face.side) / face.crop.width;
  return {(point.x - face.crop.x) * scale, (point.y - face.crop.y) * scale};
}

}  // namespace

std::string FaceCsvHeader() {
  std::vector<std::string> names = {"id",    "path",  "label", "group",  "split",  "source", "source_sha256",
                                    "track", "frame", "time",  "face_x", "face_y", "face_w", "face_h"};
  for (const char* prefix : {"", "crop_"})
    for (const char* point : kPoints)
      for (const char* axis : {"x", "y"}) names.push_back(fmt::format("{}{}_{}", prefix, point, axis));
  for (const char* name : {"detector", "detector_score", "size", "sharpness", "brightness", "yaw", "pitch",
                           "codes", "crop_x", "crop_y", "crop_side", "saved_side"})
    names.emplace_back(name);
  return CsvLine(names);
}

std::string FaceCsvRow(const CutFace& face, const SourceFacts& source, const std::string& detector,
                       const std::string& path) {
  const Box& box = face.face.box;
  std::vector<std::string> cells = {FaceId(source.sha256, face.track, face.frame),
                                    CsvText(path),
                                    source.label,
                                    CsvText(source.group),
                                    source.split,
                                    CsvText(source.name),
                                    source.sha256,
                                    fmt::format("{}", face.track),
                                    fmt::format("{}", face.frame),
                                    CsvNumber(RoundTime(face.time)),
                                    Pixels(box.x),
                                    Pixels(box.y),
                                    Pixels(box.width),
                                    Pixels(box.height)};
  if (const auto& marks = face.face.landmarks) {
    const Point* points[] = {&marks->right_eye, &marks->left_eye, &marks->nose, &marks->mouth};
    for (const Point* point : points) AddPoint(cells, *point);
    for (const Point* point : points) AddPoint(cells, InCrop(*point, face));
  } else {
    cells.resize(cells.size() + 4 * std::size(kPoints));
  }
  for (std::string& cell : std::vector<std::string>{
           detector, CsvNumber(RoundScore(face.face.score)), Pixels(face.quality.size),
           CsvNumber(RoundScore(face.quality.sharpness)), CsvNumber(RoundScore(face.quality.brightness)),
           CsvNumber(RoundAngle(face.quality.yaw)), CsvNumber(RoundAngle(face.quality.pitch)),
           fmt::format("{}", fmt::join(face.quality.codes, " ")), fmt::format("{}", face.crop.x),
           fmt::format("{}", face.crop.y), fmt::format("{}", face.crop.width), fmt::format("{}", face.side)})
    cells.push_back(std::move(cell));
  return CsvLine(cells);
}

}  // namespace unmask
