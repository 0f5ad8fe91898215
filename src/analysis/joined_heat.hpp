// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "unmask/report.hpp"

namespace unmask {

/// The heat map of one network, and how much it counts: its weight in the ensemble, 0 or more.
struct WeightedHeat {
  HeatMap map;
  double weight = 1;
};

/// One map of those that some networks drew of the same face: on the grid of the first one that counts, each
/// cell the weighted mean of the maps that cover its centre, between their cells by bilinear interpolation.
/// A single map stays as it is. Null when none counts. Pure.
std::shared_ptr<const HeatMap> JoinHeatMaps(std::vector<WeightedHeat> maps);

/// Turns what a square map shows clockwise about its centre, by `roll` degrees, between its cells by bilinear
/// interpolation; what comes in from outside is 0. Its region stays.
void TurnHeatMap(HeatMap& map, double roll);

}  // namespace unmask
