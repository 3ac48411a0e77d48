import { start } from "../main";
import { PlacePage } from "../pages/PlacePage";

void start(PlacePage);
