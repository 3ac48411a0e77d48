import { start } from "../main";
import { Cohesion } from "../pages/Cohesion";

void start(Cohesion);
