// SPDX-License-Identifier: Apache-2.0
#include "face/tracker.hpp"

#include <algorithm>
#include <cstddef>
#include <tuple>

#include "face/geometry.hpp"

namespace unmask {
namespace {

// People do not keep a speed for long: beyond this the prediction stands still.
constexpr double kMaxExtrapolation = 1.0;
// Weight of the newest speed; the rest is the one before, so that one jittery box does not throw the track.
constexpr double kSpeedWeight = 0.6;

struct Pair {
  double iou;
  std::size_t track;
  std::size_t face;
};

}  // namespace

Box Tracker::Predict(const Track& track, double time) const {
  const double dt = std::clamp(time - track.time, 0.0, kMaxExtrapolation);
  return {track.box.x + track.vx * dt, track.box.y + track.vy * dt, track.box.width, track.box.height};
}

void Tracker::Move(Track& track, double time, const Box& box) const {
  if (const double dt = time - track.time; dt > 0) {
    const Point before = Centre(track.box);
    const Point now = Centre(box);
    track.vx = kSpeedWeight * (now.x - before.x) / dt + (1 - kSpeedWeight) * track.vx;
    track.vy = kSpeedWeight * (now.y - before.y) / dt + (1 - kSpeedWeight) * track.vy;
  }
  track.time = time;
  track.box = box;
}

std::vector<Tracker::Expectation> Tracker::Expect(double time) const {
  std::vector<Expectation> expected;
  for (const Track& track : live_)
    if (time - track.time <= options_.max_gap)
      expected.push_back({.id = track.id, .box = Predict(track, time), .last_seen = track.time});
  return expected;
}

std::vector<int> Tracker::Update(double time, std::span<const Face> faces) {
  std::erase_if(live_, [&](const Track& track) { return time - track.time > options_.max_gap; });

  std::vector<Pair> pairs;
  for (std::size_t t = 0; t < live_.size(); ++t) {
    const Box predicted = Predict(live_[t], time);
    for (std::size_t f = 0; f < faces.size(); ++f) {
      const double iou = Iou(predicted, faces[f].box);
      if (iou >= options_.min_iou && iou > 0) pairs.push_back({iou, t, f});
    }
  }
  std::sort(pairs.begin(), pairs.end(), [](const Pair& a, const Pair& b) {
    return std::tuple(-a.iou, a.track, a.face) < std::tuple(-b.iou, b.track, b.face);
  });

  std::vector<int> ids(faces.size(), 0);
  std::vector<bool> taken(live_.size(), false);
  for (const Pair& pair : pairs) {
    if (taken[pair.track] || ids[pair.face] != 0) continue;
    taken[pair.track] = true;
    ids[pair.face] = live_[pair.track].id;
    Move(live_[pair.track], time, faces[pair.face].box);
  }
  for (std::size_t f = 0; f < faces.size(); ++f) {
    if (ids[f] != 0) continue;
    ids[f] = next_id_++;
    live_.push_back({.id = ids[f], .time = time, .box = faces[f].box});
  }
  return ids;
}

}  // namespace unmask
