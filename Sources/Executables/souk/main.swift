import SoukCommand

await Souk.launch()
