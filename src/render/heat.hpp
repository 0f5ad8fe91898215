// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "unmask/picture.hpp"
#include "unmask/report.hpp"

namespace unmask {

/// Tints a picture with a heat map: the stronger the trace, the less of the picture shows through, in colours
/// of rising brightness (Inferno, of matplotlib's perceptually uniform maps), so that it can be read without
/// seeing colours. Strength is relative to the map's peak, since maps hedge. `shown` is the part of the media
/// that the picture shows; what the map does not cover stays. A picture or map without cells changes nothing.
void TintWithHeat(Picture& picture, const Box& shown, const HeatMap& heat);

/// Whether people should see the track's heat map: not beside a face in which nothing was found.
bool ShowsHeat(const TrackReport& track);

/// The strongest cell.
struct HeatPeak {
  double x = 0;  ///< its centre, pixels of the media
  double y = 0;
  double value = 0;
};
HeatPeak PeakOf(const HeatMap& heat);

}  // namespace unmask
