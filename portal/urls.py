"""Addresses of the portal's pages."""

from django.urls import path

from portal.areas import area_page
from portal.home import home_page
from portal.portfolio import portfolio_brief, portfolio_page
from portal.programs import program_page
from portal.projects import (
    project_history_page,
    project_money_page,
    project_page,
    project_people_page,
    project_trl,
    projects_page,
)
from portal.search import search_page

urlpatterns = [
    path("", home_page, name="home"),
    path("portfolio/", portfolio_page, name="portfolio"),
    path("portfolio/brief.pdf", portfolio_brief, name="portfolio_brief"),
    path("programs/<slug:ref>/", program_page, name="program"),
    path("areas/<slug:ref>/", area_page, name="area"),
    path("projects/", projects_page, name="projects"),
    path("projects/<slug:ref>/", project_page, name="project"),
    path("projects/<slug:ref>/trl/", project_trl, name="project_trl"),
    path("projects/<slug:ref>/money/", project_money_page, name="project_money"),
    path("projects/<slug:ref>/people/", project_people_page, name="project_people"),
    path("projects/<slug:ref>/history/", project_history_page, name="project_history"),
    path("search/", search_page, name="search"),
]
