import { start } from "../main";
import { IndicatorPage } from "../pages/IndicatorPage";

void start(IndicatorPage);
