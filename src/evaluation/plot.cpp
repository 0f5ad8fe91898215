// SPDX-License-Identifier: Apache-2.0
#include "evaluation/plot.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "render/text.hpp"

namespace unmask {
namespace {

// Pixels of the drawing, which the page scales to its place.
constexpr double kWidth = 420;
constexpr double kLetter = 6;  // the width of one, about
constexpr double kRight = 12;
constexpr double kTop = 10;
constexpr double kBottom = 44;
constexpr double kNear = 0.5;

std::string Titled(std::string_view hint) {
  return hint.empty() ? std::string() : fmt::format("<title>{}</title>", EscapeForHtml(hint));
}

}  // namespace

std::vector<Axis::Tick> UnitTicks(bool percent) {
  std::vector<Axis::Tick> ticks;
  for (int i = 0; i <= 5; ++i)
    ticks.push_back({i / 5.0, percent ? fmt::format("{} %", i * 20) : fmt::format("{:.3g}", i / 5.0)});
  return ticks;
}

std::vector<Axis::Tick> RoundTicks(double low, double high, int count) {
  std::vector<Axis::Tick> ticks;
  if (!(high > low) || count < 1) return ticks;
  const double rough = (high - low) / count;
  const double power = std::pow(10, std::floor(std::log10(rough)));
  double step = 10 * power;
  for (const double factor : {5.0, 2.0, 1.0})
    if (factor * power >= rough * 0.999) step = factor * power;
  for (double i = std::ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i += 1)
    ticks.push_back({i * step, fmt::format("{:.6g}", i * step + 0.0)});
  return ticks;
}

Plot::Plot(std::string label, std::string description, Axis x, Axis y, int height)
    : label_(std::move(label)),
      description_(std::move(description)),
      x_(std::move(x)),
      y_(std::move(y)),
      height_(height) {
  std::size_t longest = 0;
  for (const Axis::Tick& tick : y_.ticks) longest = std::max(longest, DisplayWidth(tick.label));
  left_ = 30 + kLetter * static_cast<double>(longest);
}

double Plot::X(double value) const {
  const double share = (std::clamp(value, x_.low, x_.high) - x_.low) / (x_.high - x_.low);
  return left_ + share * (kWidth - left_ - kRight);
}

double Plot::Y(double value) const {
  const double share = (std::clamp(value, y_.low, y_.high) - y_.low) / (y_.high - y_.low);
  return height_ - kBottom - share * (height_ - kTop - kBottom);
}

void Plot::Line(std::string_view style, const Points& points, bool steps) {
  std::string path;
  double last_x = 0;
  double last_y = 0;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const double x = X(points[i].first);
    const double y = Y(points[i].second);
    const bool ends = i == 0 || i + 1 == points.size();
    if (!ends && std::hypot(x - last_x, y - last_y) < kNear) continue;
    if (i == 0)
      path = fmt::format("M{:.1f} {:.1f}", x, y);
    else
      path += steps ? fmt::format("H{:.1f}V{:.1f}", x, y) : fmt::format("L{:.1f} {:.1f}", x, y);
    last_x = x;
    last_y = y;
  }
  if (!path.empty()) content_ += fmt::format("<path class=\"curve {}\" d=\"{}\"/>", style, path);
}

void Plot::Bar(std::string_view style, double x1, double y1, double x2, double y2, std::string_view hint) {
  const double left = std::min(X(x1), X(x2));
  const double top = std::min(Y(y1), Y(y2));
  content_ += fmt::format(
      "<rect class=\"bar {}\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\">{}</rect>", style,
      left, top, std::abs(X(x2) - X(x1)), std::abs(Y(y2) - Y(y1)), Titled(hint));
}

void Plot::Dot(std::string_view style, double x, double y, std::string_view hint) {
  content_ += fmt::format("<circle class=\"mark {}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"4\">{}</circle>", style,
                          X(x), Y(y), Titled(hint));
}

void Plot::Range(double x1, double y1, double x2, double y2) {
  content_ += fmt::format("<line class=\"range\" x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\"/>",
                          X(x1), Y(y1), X(x2), Y(y2));
}

void Plot::Vertical(std::string_view style, double x, std::string_view hint) {
  content_ +=
      fmt::format("<line class=\"rule {}\" x1=\"{:.1f}\" x2=\"{:.1f}\" y1=\"{:.1f}\" y2=\"{:.1f}\">{}</line>",
                  style, X(x), X(x), kTop, height_ - kBottom, Titled(hint));
}

void Plot::Horizontal(std::string_view style, double y, std::string_view hint) {
  content_ +=
      fmt::format("<line class=\"rule {}\" x1=\"{:.1f}\" x2=\"{:.1f}\" y1=\"{:.1f}\" y2=\"{:.1f}\">{}</line>",
                  style, left_, kWidth - kRight, Y(y), Y(y), Titled(hint));
}

void Plot::Text(double x, double y, std::string_view text) {
  content_ +=
      fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\">{}</text>", X(x) + 6, Y(y) + 4, EscapeForHtml(text));
}

void Plot::Legend(std::string_view style, std::string_view kind, std::string_view text) {
  std::string mark;
  if (kind == "line")
    mark = fmt::format("<path class=\"curve {}\" d=\"M1 7H23\"/>", style);
  else if (kind == "bar")
    mark = fmt::format("<rect class=\"bar {}\" x=\"5\" y=\"1\" width=\"13\" height=\"12\"/>", style);
  else
    mark = fmt::format("<circle class=\"mark {}\" cx=\"12\" cy=\"7\" r=\"4\"/>", style);
  legend_ += fmt::format(
      "<li><svg viewBox=\"0 0 24 14\" width=\"24\" height=\"14\" aria-hidden=\"true\">{}</svg> {}</li>", mark,
      EscapeForHtml(text));
}

std::string Plot::Frame() const {
  std::string svg;
  const double floor = height_ - kBottom;
  for (const Axis::Tick& tick : x_.ticks)
    svg += fmt::format(
        "<line class=\"grid\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1:.1f}\" y2=\"{2:.1f}\"/>"
        "<text class=\"across\" x=\"{0:.1f}\" y=\"{3:.1f}\">{4}</text>",
        X(tick.at), kTop, floor, floor + 15, EscapeForHtml(tick.label));
  for (const Axis::Tick& tick : y_.ticks)
    svg += fmt::format(
        "<line class=\"grid\" x1=\"{1:.1f}\" x2=\"{2:.1f}\" y1=\"{0:.1f}\" y2=\"{0:.1f}\"/>"
        "<text class=\"up\" x=\"{3:.1f}\" y=\"{4:.1f}\">{5}</text>",
        Y(tick.at), left_, kWidth - kRight, left_ - 5, Y(tick.at) + 4, EscapeForHtml(tick.label));
  svg += fmt::format("<text class=\"across\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>",
                     (left_ + kWidth - kRight) / 2, height_ - 8, EscapeForHtml(x_.title));
  svg += fmt::format("<text class=\"across\" transform=\"translate(12 {:.1f}) rotate(-90)\">{}</text>",
                     (kTop + floor) / 2, EscapeForHtml(y_.title));
  return svg;
}

std::string Plot::Figure(std::string_view caption, std::string_view table) const {
  std::string html = fmt::format(
      "<figure><svg class=\"plot\" viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\"><desc>{}</desc>{}{}"
      "<path class=\"frame\" d=\"M{:.1f} {:.1f}V{:.1f}H{:.1f}\"/></svg>\n",
      kWidth, height_, EscapeForHtml(label_), EscapeForHtml(description_), Frame(), content_, left_, kTop,
      height_ - kBottom, kWidth - kRight);
  if (!legend_.empty()) html += fmt::format("<ul class=\"legend\">{}</ul>\n", legend_);
  html += fmt::format("<figcaption>{}</figcaption>\n", caption);
  if (!table.empty())
    html +=
        fmt::format("<details><summary>The numbers</summary><div class=\"wide\">{}</div></details>\n", table);
  return html + "</figure>\n";
}

}  // namespace unmask
