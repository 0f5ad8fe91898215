# SPDX-License-Identifier: Apache-2.0
"""Training of unmask's face models: data, augmentation, network, metrics, calibration, export."""
