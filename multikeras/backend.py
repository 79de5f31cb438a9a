"""Settings and small helpers about the backend in use; not an implementation."""

from multikeras.config import backend as backend
from multikeras.config import epsilon as epsilon
from multikeras.config import floatx as floatx
from multikeras.config import image_data_format as image_data_format
from multikeras.config import set_epsilon as set_epsilon
from multikeras.config import set_floatx as set_floatx
from multikeras.config import set_image_data_format as set_image_data_format
from multikeras.dtypes import is_float_dtype as is_float_dtype
from multikeras.dtypes import is_int_dtype as is_int_dtype
from multikeras.dtypes import result_type as result_type
from multikeras.dtypes import standardize_dtype as standardize_dtype
from multikeras.utils import clear_session as clear_session
from multikeras.utils import is_keras_tensor as is_keras_tensor
from multikeras.variables import get_uid as get_uid
