# SPDX-License-Identifier: PostgreSQL
# Draws the ratios of one benchmark run: data (tab-separated rows of report.sh) to out (SVG).

set datafile separator tab
stats data using 1 nooutput
rows = STATS_max
set terminal svg size 1180, 110 + 24 * rows font 'sans,12' noenhanced background '#ffffff'
set output out
set title 'A / B: median, least and greatest of alternating runs'
set logscale x
set xrange [0.4:*]
set yrange [rows + 0.7:0.3]
set xtics (0.5, 0.75, 1, 1.5, 2, 4, 10, 20, 50, 100, 200, 500)
set grid xtics lc rgb '#dddddd'
set key bottom center outside horizontal
set lmargin at screen 0.45
set rmargin at screen 0.97
set arrow 1 from 1, graph 0 to 1, graph 1 nohead lc rgb '#777777' dt 2
plot data using 3:1:4:5:ytic(2) with xerrorbars pt 7 ps 0.7 lc rgb '#1f5fa8' title 'result', \
     data using ($7 == 1 ? $3 : NaN):1:4:5 with xerrorbars pt 7 ps 0.7 lc rgb '#c43c2e' title 'result, target missed', \
     data using ($8 == 1 ? $6 : NaN):1 with points pt 9 ps 0.9 lc rgb '#444444' title 'target: at least', \
     data using ($8 == 2 ? $6 : NaN):1 with points pt 11 ps 0.9 lc rgb '#444444' title 'target: at most'
