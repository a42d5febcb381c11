"""Planners that mean harm, worked through whole incidents in the lab, and judged by what reached the back ends."""
