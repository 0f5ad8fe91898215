// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace unmask {

/// One axis of a plot: where values lie and which of them are marked.
struct Axis {
  struct Tick {
    double at = 0;
    std::string label;
  };
  std::string title;
  double low = 0;
  double high = 1;
  std::vector<Tick> ticks;
};

/// 0, 0.2 ... 1 as "0", "0.2" ..., or with `percent` as "0 %", "20 %" ...
std::vector<Axis::Tick> UnitTicks(bool percent);

/// About `count` round values from `low` to `high`.
std::vector<Axis::Tick> RoundTicks(double low, double high, int count = 5);

/// A chart as inline SVG that takes its colours from the page's style: nothing in it but the classes that are
/// given here. All text is escaped. Values beyond an axis are cut off at the frame.
class Plot {
 public:
  using Points = std::vector<std::pair<double, double>>;

  /// `label` and `description` are what a screen reader says of it.
  Plot(std::string label, std::string description, Axis x, Axis y, int height = 300);

  /// A line through the points; with `steps` it goes sideways first, then up or down. Points closer than half
  /// a pixel to the one before are left out.
  void Line(std::string_view style, const Points& points, bool steps = false);

  /// A filled rectangle between two corners.
  void Bar(std::string_view style, double x1, double y1, double x2, double y2, std::string_view hint = {});

  /// A dot; `hint` is shown when the mouse rests on it.
  void Dot(std::string_view style, double x, double y, std::string_view hint = {});

  /// A line from one value to another, as an interval is drawn.
  void Range(double x1, double y1, double x2, double y2);

  /// A line across the whole plot.
  void Vertical(std::string_view style, double x, std::string_view hint = {});
  void Horizontal(std::string_view style, double y, std::string_view hint = {});

  /// Words at a point, to its right.
  void Text(double x, double y, std::string_view text);

  /// An entry of the legend below: `style` names the class of a mark, `kind` is "line", "bar" or "dot".
  void Legend(std::string_view style, std::string_view kind, std::string_view text);

  /// The <figure> with the chart, its legend and, if given, `table` (HTML) folded away below.
  std::string Figure(std::string_view caption, std::string_view table = {}) const;

 private:
  double X(double value) const;
  double Y(double value) const;
  std::string Frame() const;

  std::string label_;
  std::string description_;
  Axis x_;
  Axis y_;
  double height_;
  double left_;
  std::string content_;
  std::string legend_;
};

}  // namespace unmask
