import { start } from "../main";
import { Compare } from "../pages/Compare";

void start(Compare);
